package compliance

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ClickHouse's codes of the bounds that a query can run into.
const (
	codeTimeout = "159"
	codeMemory  = "241"
	codeRows    = "396"
)

var refusal = regexp.MustCompile(`(?s)code: (\d+), message: (.*)`)

// plainError says why the engine gave no answer, without what no reader needs: its
// version and the names of its functions.
func plainError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the query took too long and was stopped")
	}
	text := err.Error()
	if said := refusal.FindStringSubmatch(text); said != nil {
		switch said[1] {
		case codeTimeout:
			return errors.New("the query took too long and was stopped")
		case codeMemory:
			return errors.New("the query needs more memory than it may take")
		case codeRows:
			return fmt.Errorf("the query answers more than %s rows", groupDigits(fmt.Sprint(maxRows)))
		}
		text = said[2]
	}
	text, _, _ = strings.Cut(text, " (version ")
	text, _, _ = strings.Cut(text, "Stack trace:")
	return errors.New(strings.ToValidUTF8(plainText(text), "\uFFFD"))
}
