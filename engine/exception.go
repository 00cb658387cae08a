package engine

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Error codes of ClickHouse (src/Common/ErrorCodes.cpp) that this package raises or looks at itself.
const (
	codeUnsupportedMethod    = 1
	codeBadArguments         = 36
	codeCannotParseText      = 6
	codeIncorrectData        = 117
	codeUnknownFormat        = 73
	codeCannotDecompress     = 271
	codeSyntaxError          = 62
	codeTooManyBytes         = 307
	codeReadonly             = 164
	codeTooManyQueries       = 202
	codeQueryWasCancelled    = 394
	codeAborted              = 236
	codeAccessDenied         = 497
	codeAuthenticationFailed = 516
	codeUnknownException     = 1002
	codeNotImplemented       = 48
	codeUnknownCompression   = 89
	codeUnknownSetting       = 115
)

// exception is an error as ClickHouse reports it.
type exception struct {
	code    int
	message string // without the "Code: N." prefix and without the "(NAME) (version ...)" suffix
	name    string // SYNTAX_ERROR and the like; may be empty
}

func (e *exception) Error() string {
	if e.name == "" {
		return fmt.Sprintf("Code: %d. DB::Exception: %s", e.code, e.message)
	}
	return fmt.Sprintf("Code: %d. DB::Exception: %s (%s)", e.code, e.message, e.name)
}

func refuse(code int, name, format string, args ...any) *exception {
	return &exception{code: code, name: name, message: fmt.Sprintf(format, args...)}
}

var (
	exceptionPrefix = regexp.MustCompile(`^(?:Error: )?Code: (\d+)\. DB::(?:\w+::)?\w*Exception: `)
	exceptionSuffix = regexp.MustCompile(` \(([A-Z][A-Z0-9_]+)\)$`)
	versionSuffix   = regexp.MustCompile(` ?\(version [^()]*(?:\([^()]*\))?\)\.?$`)
)

// newException reads the text of an engine error ("Code: 62. DB::Exception: ... (SYNTAX_ERROR)"). chDB wraps an error in
// itself on some paths ("Code: 33. DB::Exception: Code: 33. DB::Exception: ..."), and insert streams append the C++ stack
// trace: both are undone, and the version is cut off. A text without a code becomes code 1002.
func newException(text string) *exception {
	text, _, _ = strings.Cut(text, "Stack trace (when copying this message")
	e := &exception{}
	for {
		text = versionSuffix.ReplaceAllString(strings.TrimRight(text, ", \n"), "")
		suffix := exceptionSuffix.FindStringSubmatchIndex(text)
		prefix := exceptionPrefix.FindStringSubmatch(text)
		if prefix == nil || e.code != 0 && prefix[1] != strconv.Itoa(e.code) {
			break
		}
		e.code, _ = strconv.Atoi(prefix[1]) // the expression takes digits only
		if suffix != nil {
			e.name, text = text[suffix[2]:suffix[3]], text[:suffix[0]]
		}
		text = text[len(prefix[0]):]
	}
	e.message = text
	if e.code == 0 {
		e.code, e.name = codeUnknownException, "UNKNOWN_EXCEPTION"
	}
	return e
}

// httpStatus maps error codes as ClickHouse does (src/Server/HTTP/exceptionCodeToHTTPStatus.cpp).
// READONLY (164) is added to the refusals, and cancelled queries to what a client may send again.
func (e *exception) httpStatus() int {
	switch e.code {
	case 194:
		return http.StatusUnauthorized
	case 192, 193, codeAuthenticationFailed, 512, codeAccessDenied, codeReadonly:
		return http.StatusForbidden
	case codeBadArguments, 427, codeCannotParseText, 25, 26, 38, 41, 72, 441, 675, 676, 27, 376, 15, 44, 67, 235, 8, 167, 168, 223,
		codeSyntaxError, codeIncorrectData, 53, 321, codeUnknownCompression, codeCannotDecompress:
		return http.StatusBadRequest
	case 60, 46, 47, 50, 56, 81, codeUnknownSetting, 85, 63, codeUnknownFormat, 336, 78, 511:
		return http.StatusNotFound
	case codeTooManyBytes:
		return http.StatusRequestEntityTooLarge
	case codeNotImplemented:
		return http.StatusNotImplemented
	case 209, 76, 439, codeTooManyQueries, codeAborted:
		return http.StatusServiceUnavailable
	case 159:
		return http.StatusRequestTimeout
	}
	return http.StatusInternalServerError
}
