package simulate

import "time"

// dayShape is how busy an hour of the local day is, in percent of the busiest.
var dayShape = [24]int{3, 2, 2, 2, 3, 5, 12, 35, 70, 95, 100, 95, 75, 85, 95, 90, 80, 60, 35, 22, 15, 10, 7, 5}

// busy scales a rate at the busiest hour to this one, at an office's offset from
// UTC; a weekend has a quarter.
func busy(rate int, from time.Time, offset time.Duration) int {
	local := from.Add(offset)
	n := rate * dayShape[local.Hour()] / 100
	if day := local.Weekday(); day == time.Saturday || day == time.Sunday {
		n /= 4
	}
	return n
}

// around draws a number near n: up to a fifth more or less.
func (d dice) around(n int) int { return n - n/5 + d.below(n*2/5+1) }

// monthTurn is whether closing keeps people busy: the last two days of a month
// and the first three.
func monthTurn(day time.Time) bool { return day.Day() <= 3 || day.AddDate(0, 0, 2).Day() <= 2 }

// inHour is whether a daily appointment falls into the hour that starts at from.
func inHour(from time.Time, appointment time.Duration) bool {
	return from.Hour() == int(appointment/time.Hour)%24
}

// appointment is the time of a daily appointment on the hour's day.
func appointment(from time.Time, at time.Duration) time.Time {
	return from.Truncate(time.Hour).Add(at % time.Hour)
}

// vpn is where the VPN comes out on a day.
func (w *world) vpn(day time.Time) network {
	if day.Before(w.at(w.Days*2/3, 0)) {
		return vpnNetworks[0]
	}
	return vpnNetworks[1]
}
