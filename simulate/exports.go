package simulate

import (
	"fmt"
	"time"
)

// exports writes EventLogFile CSVs: a file per type and hour, a second one
// where some events came late, and on request one per type and day.
type exports struct {
	dir    string
	daily  bool
	dice   dice
	types  map[string]*export
	days   []*dailyFile
	files  []File
	values []string
}

// export is one type: its open hours and its own chance of late events.
type export struct {
	hours *hours
	dice  dice
	// silent is when nothing of the type is written.
	silent window
}

// dailyFile is the twin of a day's hourly files, open until the day ends.
type dailyFile struct {
	*csvFile
	table *table
}

func newExports(dir string, o Options) *exports {
	x := &exports{dir: dir, daily: o.Daily, dice: newDice(o.Seed, "delivery"), types: map[string]*export{}}
	for _, t := range tables {
		x.types[t.name] = &export{hours: newHours(o.Start, o.end()), dice: newDice(o.Seed, "late "+t.name)}
	}
	return x
}

// add takes one record: pairs of column and value, the rest empty. The columns
// that follow from time and user are filled here.
func (x *exports) add(t *table, when time.Time, org, user string, pairs ...string) {
	if x == nil {
		return
	}
	if x.types[t.name].silent.holds(when) {
		return
	}
	x.values = append(x.values[:0], make([]string, len(t.columns))...)
	set := func(column, value string) {
		i, ok := t.at[column]
		if !ok {
			panic("no column " + column + " in " + t.name)
		}
		x.values[i] = value
	}
	when = when.UTC()
	set("EVENT_TYPE", t.name)
	set("TIMESTAMP", when.Format("20060102150405.000"))
	set("TIMESTAMP_DERIVED", when.Format("2006-01-02T15:04:05.000Z"))
	set("ORGANIZATION_ID", org)
	set("USER_ID", user)
	if _, ok := t.at["USER_ID_DERIVED"]; ok {
		set("USER_ID_DERIVED", longID(user))
	}
	for i := 0; i < len(pairs); i += 2 {
		set(pairs[i], pairs[i+1])
	}
	x.types[t.name].hours.add(when, func(to []byte) []byte { return appendRecord(to, x.values) })
}

// silence makes a type of log stop for a while. The world's chance stays the same.
func (x *exports) silence(t *table, during window) { x.types[t.name].silent = during }

// flush writes the files of the hour that starts at from. Nothing may be added
// to that hour after.
func (x *exports) flush(from time.Time) error {
	if x == nil {
		return nil
	}
	for _, t := range tables {
		e := x.types[t.name]
		h := e.hours.take(from)
		if h == nil {
			continue
		}
		late := lateRecords(h, e.dice)
		delivered := from.Add(4*time.Hour + x.dice.within(3*time.Hour))
		for sequence := 1; sequence <= 2; sequence++ {
			if err := x.writeHour(t, h, late, from, sequence, delivered); err != nil {
				return err
			}
			delivered = delivered.Add(time.Hour + x.dice.within(20*time.Hour))
		}
		if err := x.writeDay(t, h, from); err != nil {
			return err
		}
	}
	if from.Hour() == 23 {
		return x.closeDay()
	}
	return nil
}

// lateRecords chooses what the hour's first file will lack: in one busy hour of
// eight, about a twelfth.
func lateRecords(h *hour, d dice) []bool {
	late := make([]bool, len(h.records))
	if len(h.records) < 6 || !d.perMille(125) {
		return late
	}
	for i := range late[1:] {
		late[i+1] = d.perMille(80)
	}
	return late
}

func (x *exports) writeHour(t *table, h *hour, late []bool, from time.Time, sequence int, delivered time.Time) error {
	var f *csvFile
	for i, r := range h.records {
		if late[i] != (sequence == 2) {
			continue
		}
		if f == nil {
			name := fmt.Sprintf("%s_%s_Hourly_%d.csv", from.Format("2006-01-02T15"), t.name, sequence)
			var err error
			if f, err = createCSV(x.dir, "salesforce/hourly/"+name, t); err != nil {
				return err
			}
			f.File.From, f.File.To, f.Sequence, f.Delivered = from, from.Add(time.Hour), sequence, delivered
		}
		f.write(h.data[r.start:r.end])
	}
	if f == nil {
		return nil
	}
	file, err := f.finish()
	x.files = append(x.files, file)
	return err
}

func (x *exports) writeDay(t *table, h *hour, from time.Time) error {
	if !x.daily {
		return nil
	}
	day := from.Truncate(24 * time.Hour)
	var f *dailyFile
	for _, open := range x.days {
		if open.table == t {
			f = open
		}
	}
	if f == nil {
		created, err := createCSV(x.dir, fmt.Sprintf("salesforce/daily/%s_%s_Daily_0.csv", day.Format("2006-01-02"), t.name), t)
		if err != nil {
			return err
		}
		created.File.From, created.File.To = day, day.Add(24*time.Hour)
		created.Delivered = day.Add(27*time.Hour + x.dice.within(6*time.Hour))
		f = &dailyFile{created, t}
		x.days = append(x.days, f)
	}
	for _, r := range h.records {
		f.write(h.data[r.start:r.end])
	}
	return nil
}

func (x *exports) closeDay() error {
	for _, f := range x.days {
		file, err := f.finish()
		x.files = append(x.files, file)
		if err != nil {
			return err
		}
	}
	x.days = x.days[:0]
	return nil
}
