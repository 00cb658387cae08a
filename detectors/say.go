package detectors

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// sayTime writes a moment for people.
func sayTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// sayValue writes a value of a query for a message: textOf, with commas in large
// whole numbers.
func sayValue(value any) string {
	switch reflect.ValueOf(value).Kind() {
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return withSeparators(textOf(value))
	}
	return textOf(value)
}

// textOf writes a value of a query for an attribute.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return sayTime(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case fmt.Stringer:
		return v.String()
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return textOf(v.Elem().Interface())
	case reflect.Slice:
		texts := make([]string, 0, min(v.Len(), maxListed+1))
		for i := range min(v.Len(), maxListed) {
			texts = append(texts, textOf(v.Index(i).Interface()))
		}
		if more := v.Len() - maxListed; more > 0 {
			texts = append(texts, fmt.Sprintf("and %d more", more))
		}
		return strings.Join(texts, ", ")
	}
	return fmt.Sprint(value)
}
