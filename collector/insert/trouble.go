package insert

import (
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ClickHouse's error codes that concern inserting, from its ErrorCodes.cpp.
const (
	codeUnknownTable    = 60
	codeNoSuchColumn    = 16
	codeReadonly        = 164
	codeMemoryLimit     = 241
	codeTableReadOnly   = 242
	codeTooManyParts    = 252
	codeNotEnoughSpace  = 243
	codeUnknownDatabase = 81
	codeAccessDenied    = 497
	codeAuthentication  = 516
)

// dataErrors are codes by which the server refuses the rows themselves: the same
// rows will be refused for ever. Everything else may pass, and is tried again.
var dataErrors = map[int32]bool{
	6:   true, // CANNOT_PARSE_TEXT
	27:  true, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	38:  true, // CANNOT_PARSE_DATE
	41:  true, // CANNOT_PARSE_DATETIME
	69:  true, // ARGUMENT_OUT_OF_BOUND
	70:  true, // CANNOT_CONVERT_TYPE
	72:  true, // CANNOT_PARSE_NUMBER
	117: true, // INCORRECT_DATA
	131: true, // TOO_LARGE_STRING_SIZE
	321: true, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
	349: true, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
	395: true, // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
	407: true, // DECIMAL_OVERFLOW
	469: true, // VIOLATED_CONSTRAINT
	691: true, // UNKNOWN_ELEMENT_OF_ENUM
}

func isDataError(err error) bool {
	var exception *clickhouse.Exception
	return errors.As(err, &exception) && dataErrors[exception.Code]
}

// kindOfTrouble tells one kind of failure from another, so that each is logged once.
func kindOfTrouble(err error) string {
	var exception *clickhouse.Exception
	var http *clickhouse.HTTPError
	var refused *tooManyRefusedError
	switch {
	case errors.As(err, &refused):
		return "too many rows refused"
	case errors.As(err, &exception):
		return fmt.Sprintf("clickhouse %d %s", exception.Code, exception.CodeName)
	case errors.As(err, &http):
		return fmt.Sprintf("http %d", http.StatusCode)
	case errors.Is(err, errStuck):
		return "no answer"
	}
	return "network"
}

// publicText is the error without what a server might quote of the rows.
func publicText(err error) string {
	var exception *clickhouse.Exception
	if errors.As(err, &exception) && dataErrors[exception.Code] {
		return exception.CodeName
	}
	text := err.Error()
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}

// mendOf says what an operator can do.
func mendOf(err error) string {
	var exception *clickhouse.Exception
	var refused *tooManyRefusedError
	if errors.As(err, &refused) {
		return "the table and this version of crmwatch do not fit: look at the table's constraints and types"
	}
	if !errors.As(err, &exception) {
		return "check that the database runs and can be reached"
	}
	switch exception.Code {
	case codeUnknownTable, codeUnknownDatabase, codeNoSuchColumn:
		return "apply the migrations, or check the name of the database"
	case codeAuthentication, codeAccessDenied:
		return "check the user, the password and the right to INSERT"
	case codeReadonly, codeTableReadOnly:
		return "the database takes no writes: look for a read-only replica or a full Keeper"
	case codeTooManyParts:
		return "merges are behind: inserts go on when they have caught up"
	case codeMemoryLimit:
		return "the database is short of memory: inserts go on when queries have ended"
	case codeNotEnoughSpace:
		return "free space on the database's disk"
	}
	return "see the database's log"
}
