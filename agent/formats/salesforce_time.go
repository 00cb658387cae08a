package formats

// parseSalesforceTime reads the times that Salesforce writes, as milliseconds
// since 1970 UTC: "20260302081501.204" (the fraction may be missing),
// "2026-03-02T08:15:01.204Z" and "2026-03-02T08:15:01.204+0000" (offsets with or
// without a colon; a time without one is UTC; a space may stand for the T).
// It is written by hand because every row needs it twice, and time.Parse costs
// more than all else that is done to a row.
func parseSalesforceTime(s string) (ms int64, ok bool) {
	if len(s) < 14 || len(s) > 40 {
		return 0, false
	}
	var year, month, day, hour, minute, second int
	bad := false
	two := func(i int) int {
		a, b := s[i]-'0', s[i+1]-'0'
		bad = bad || a > 9 || b > 9
		return int(a)*10 + int(b)
	}
	rest := ""
	if s[4] != '-' {
		year, month, day = two(0)*100+two(2), two(4), two(6)
		hour, minute, second = two(8), two(10), two(12)
		rest = s[14:]
	} else {
		if len(s) < 19 || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
			return 0, false
		}
		year, month, day = two(0)*100+two(2), two(5), two(8)
		hour, minute, second = two(11), two(14), two(17)
		rest = s[19:]
	}
	if bad || year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	ms = ((daysSince1970(year, month, day)*24+int64(hour))*60+int64(minute))*60 + int64(second)
	ms *= 1000
	if rest != "" && rest[0] == '.' {
		i, unit := 1, int64(100)
		for ; i < len(rest) && rest[i]-'0' <= 9; i++ {
			ms += int64(rest[i]-'0') * unit
			unit /= 10
		}
		if i == 1 {
			return 0, false
		}
		rest = rest[i:]
	}
	offset, ok := zoneOffset(rest)
	return ms - offset, ok
}

// zoneOffset reads "", "Z", "+0130" or "+01:30" as milliseconds.
func zoneOffset(s string) (ms int64, ok bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	sign := int64(1)
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	digits := s[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	if len(digits) != 4 {
		return 0, false
	}
	var d [4]int64
	for i := range d {
		if digits[i]-'0' > 9 {
			return 0, false
		}
		d[i] = int64(digits[i] - '0')
	}
	hours, minutes := d[0]*10+d[1], d[2]*10+d[3]
	if hours > 14 || minutes > 59 {
		return 0, false
	}
	return sign * (hours*60 + minutes) * 60_000, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts days of the Gregorian calendar. The year begins in March
// here, so that the leap day comes last.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return int64(365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 719469)
}
