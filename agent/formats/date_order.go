package formats

import "fmt"

// DateOrder is the order of day, month and year in dates such as 02/03/2026. The
// zero value means that it is not known.
type DateOrder uint8

// The orders in use.
const (
	DateOrderUnknown DateOrder = iota
	DayMonthYear
	MonthDayYear
	YearMonthDay
)

var dateOrders = [...]string{DayMonthYear: "dmy", MonthDayYear: "mdy", YearMonthDay: "ymd"}

// ParseDateOrder reads "dmy", "mdy" or "ymd"; "" is unknown.
func ParseDateOrder(text string) (DateOrder, error) {
	for order, name := range dateOrders {
		if text == name {
			return DateOrder(order), nil
		}
	}
	return DateOrderUnknown, fmt.Errorf("the date order %q is not known: use dmy (02/03/2026 is the second of March), mdy (the third of February) or ymd", text)
}

// String is the order as the configuration writes it.
func (o DateOrder) String() string {
	if int(o) < len(dateOrders) {
		return dateOrders[o]
	}
	return ""
}
