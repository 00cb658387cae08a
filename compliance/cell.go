package compliance

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Kind is what the cells of a column are.
type Kind string

// The kinds of columns. A cell that is not known is nil in all of them.
const (
	// KindText cells are strings.
	KindText Kind = "text"
	// KindNumber cells are json.Number, exact however large.
	KindNumber Kind = "number"
	// KindTime cells are strings such as 2026-03-01T12:00:00.000Z, in UTC.
	KindTime Kind = "time"
	// KindDay cells are strings such as 2026-03-01.
	KindDay Kind = "day"
	// KindBool cells are bools.
	KindBool Kind = "bool"
	// KindList cells are []any of the kinds above.
	KindList Kind = "list"
)

const (
	cellTime = "2006-01-02T15:04:05.000Z"
	cellDay  = time.DateOnly
)

var wrappers = []string{"Nullable(", "LowCardinality(", "SimpleAggregateFunction("}

// kindOf says what cells a ClickHouse type makes.
func kindOf(databaseType string) Kind {
	for _, wrapper := range wrappers {
		if inner, is := strings.CutPrefix(databaseType, wrapper); is {
			_, last, several := strings.Cut(inner, ", ")
			if several && wrapper == "SimpleAggregateFunction(" {
				inner = last
			}
			return kindOf(strings.TrimSuffix(inner, ")"))
		}
	}
	switch {
	case strings.HasPrefix(databaseType, "DateTime"):
		return KindTime
	case strings.HasPrefix(databaseType, "Date"):
		return KindDay
	case databaseType == "Bool":
		return KindBool
	case strings.HasPrefix(databaseType, "Array("), strings.HasPrefix(databaseType, "Map("), strings.HasPrefix(databaseType, "Tuple("):
		return KindList
	case strings.HasPrefix(databaseType, "UInt"), strings.HasPrefix(databaseType, "Int") && !strings.HasPrefix(databaseType, "Interval"),
		strings.HasPrefix(databaseType, "Float"), strings.HasPrefix(databaseType, "BFloat"), strings.HasPrefix(databaseType, "Decimal"):
		return KindNumber
	}
	return KindText
}

// cell makes a value of the database one of a summary.
func cell(value any, kind Kind) any {
	switch v := value.(type) {
	case nil:
		return nil
	case time.Time:
		if kind == KindDay {
			return v.Format(cellDay)
		}
		return v.UTC().Format(cellTime)
	case uuid.UUID:
		return v.String()
	case net.IP:
		return v.String()
	case big.Int:
		return json.Number(v.String())
	}
	if kind == KindNumber {
		if text, is := value.(fmt.Stringer); is { // decimals and numbers of more than 64 bits
			return json.Number(text.String())
		}
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return cell(v.Elem().Interface(), kind)
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return json.Number(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return json.Number(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		return floatCell(v.Float())
	case reflect.String:
		return strings.ToValidUTF8(v.String(), "\uFFFD")
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = cell(v.Index(i).Interface(), KindText)
		}
		return list
	case reflect.Map:
		list := make([]any, 0, v.Len())
		for _, key := range v.MapKeys() {
			list = append(list, fmt.Sprintf("%v: %v", key.Interface(), v.MapIndex(key).Interface()))
		}
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		return list
	}
	return strings.ToValidUTF8(fmt.Sprint(value), "\uFFFD")
}

// floatCell has no value for what is no number, such as the share of nothing.
func floatCell(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil
	}
	return json.Number(text)
}

// numberOf is a cell's number, for plots and for comparing.
func numberOf(c any) (float64, bool) {
	n, is := c.(json.Number)
	if !is {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// timeOf is a cell's moment.
func timeOf(c any) (time.Time, bool) {
	text, is := c.(string)
	if !is {
		return time.Time{}, false
	}
	for _, layout := range []string{cellTime, cellDay} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// isNothing tells whether a cell says that there was none of it.
func isNothing(c any) bool {
	switch c := c.(type) {
	case nil:
		return true
	case string:
		return c == ""
	case bool:
		return !c
	case []any:
		return len(c) == 0
	case json.Number:
		n, is := numberOf(c)
		return is && n == 0
	}
	return false
}
