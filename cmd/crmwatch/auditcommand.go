package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/schema"
)

// invocation is the command line that is being run.
type invocation struct {
	// command is its name, such as "alerts show".
	command   string
	arguments []string
	// statement is the SQL of a query.
	statement string
}

type invocationKey struct{}

// withInvocation lets those who open a database know by which command. usage is how the
// parser names it, with its arguments in angle brackets.
func withInvocation(ctx context.Context, usage string, args []string) context.Context {
	var words []string
	for _, word := range strings.Fields(usage) {
		if !strings.ContainsAny(word, "<>[]") {
			words = append(words, word)
		}
	}
	return context.WithValue(ctx, invocationKey{}, invocation{command: strings.Join(words, " "), arguments: args})
}

// withStatement adds the SQL of a query, which may have come from standard input.
func withStatement(ctx context.Context, sql string) context.Context {
	i, _ := ctx.Value(invocationKey{}).(invocation)
	i.statement = sql
	return context.WithValue(ctx, invocationKey{}, i)
}

// recordThemselves are the commands whose acts are records of their own, by their first
// words; notRecorded serve, or measure a database of their own.
var (
	recordThemselves = []string{
		"run", "collector", "engine", "alerts ack", "alerts snooze", "alerts resolve", "alerts reopen", "silences add", "silences expire",
		"subject", "hold", "report",
	}
	notRecorded = []string{"agent", "bench", "bench-tail", "engine-child", "migrate"}
)

// isRecorded says whether a command is recorded because it opens a database.
func (i invocation) isRecorded() bool {
	return i.command != "" && !slices.ContainsFunc(slices.Concat(recordThemselves, notRecorded), func(words string) bool {
		return i.command == words || strings.HasPrefix(i.command, words+" ")
	})
}

// record is the command as it is recorded. The same command of the same user within a
// minute is one record, of the minute's beginning: a script that asks every second fills
// no table.
func (i invocation) record(now time.Time) audit.Record {
	r := audit.Record{
		At: now.UTC().Truncate(time.Minute), Actor: whoami(), Via: audit.ViaCLI, Action: "command.run", ObjectType: "command", Object: i.command,
		Attributes: map[string]string{},
	}
	said := i.words()
	if i.statement != "" {
		said = withoutLiterals(i.statement)
	}
	r.Attributes["arguments"] = shorten(said, maxSaidCommand)
	r.Detail = fmt.Sprintf("%s has run crmwatch %s: %s", r.Actor, i.command, shorten(said, maxSaidCommand))
	return r
}

// maxSaidCommand is how much of a command line or a statement is kept, in characters.
const maxSaidCommand = 1000

// words are the arguments after the command's own words.
func (i invocation) words() string {
	args := i.arguments
	for _, word := range strings.Fields(i.command) {
		if len(args) > 0 && args[0] == word {
			args = args[1:]
		}
	}
	return strings.Join(args, " ")
}

// commandTime bounds the record of a command.
const commandTime = 5 * time.Second

// recordCommand records who has a command opened the database for. It does not keep
// anybody from looking: with a full disk, looking is what is needed.
func recordCommand(ctx context.Context, store schema.Store) {
	i, _ := ctx.Value(invocationKey{}).(invocation)
	if !i.isRecorded() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	if err := audit.Write(bounded, store, i.record(time.Now())); err != nil {
		warnUnrecorded("this command", err)
	}
}

// withoutLiterals is SQL with ? in place of the texts in quotes, which may be anything:
// a name that is looked for, a password in a URL. Names in double quotes and backticks
// stay.
func withoutLiterals(sql string) string {
	var out strings.Builder
	for i := 0; i < len(sql); {
		switch {
		case sql[i] == '\'':
			out.WriteByte('?')
			i = afterQuote(sql, i)
		case sql[i] == '$':
			end := afterHeredoc(sql, i)
			if end > i+1 {
				out.WriteByte('?')
			} else {
				out.WriteByte('$')
			}
			i = end
		default:
			out.WriteByte(sql[i])
			i++
		}
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(out.String(), "?")), " ")
}

// afterQuote is the place after the text in quotes that begins at i, or the end.
func afterQuote(sql string, i int) int {
	for i++; i < len(sql); i++ {
		switch {
		case sql[i] == '\\':
			i++
		case sql[i] == '\'' && i+1 < len(sql) && sql[i+1] == '\'':
			i++
		case sql[i] == '\'':
			return i + 1
		}
	}
	return len(sql)
}

// afterHeredoc is the place after $tag$text$tag$ that begins at i, or i+1.
func afterHeredoc(sql string, i int) int {
	n := strings.IndexByte(sql[i+1:], '$')
	if n < 0 {
		return i + 1
	}
	tag := sql[i : i+n+2]
	if strings.ContainsAny(tag, " \n\t'") {
		return i + 1
	}
	end := strings.Index(sql[i+len(tag):], tag)
	if end < 0 {
		return len(sql)
	}
	return i + len(tag) + end + len(tag)
}
