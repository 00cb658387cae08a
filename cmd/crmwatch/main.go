// Command crmwatch notices when the integrations around a CRM are abused.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// version is set by the Makefile.
var version = "dev"

// Exit codes. Scripts depend on them; the README lists them.
const (
	exitOK       = 0
	exitFailed   = 1
	exitNothing  = 2 // nothing could be read at all
	exitFindings = 3 // scan --fail-on: a finding of that severity or above
)

// commands is the command line.
type commands struct {
	Scan        scanCommand        `cmd:"" help:"Read a folder of logs, detect, and print what was found. No configuration, no server."`
	Run         runCommand         `cmd:"" help:"Watch logs for good: load what arrives, run the rules on schedule, alert."`
	Agent       agentCommand       `cmd:"" help:"Read logs on this machine and ship them to a collector or a ClickHouse server."`
	Collector   collectorCommand   `cmd:"" help:"Receive what agents ship, and store it once; give agents their tokens."`
	Certs       certsCommand       `cmd:"" help:"Make, renew and revoke the certificates of a collector and its agents."`
	Enroll      enrollCommand      `cmd:"" hidden:"" help:"The same as collector enroll."`
	Spool       spoolCommand       `cmd:"" help:"Look at what waits for delivery."`
	Ingest      ingestCommand      `cmd:"" help:"Load logs into a data directory, without detecting."`
	Migrate     migrateCommand     `cmd:"" help:"Make or update the tables of a ClickHouse server or cluster, or print the statements."`
	Query       queryCommand       `cmd:"" help:"Run SQL over the collected data."`
	Alerts      alertsCommand      `cmd:"" help:"List and show alerts; acknowledge, snooze, resolve and reopen them."`
	Silences    silencesCommand    `cmd:"" help:"Mute alerts for a while, list what is muted, end it."`
	Hold        holdCommand        `cmd:"" help:"Keep what concerns a matter from being deleted or erased, until the hold is released."`
	Retention   retentionCommand   `cmd:"" help:"Show how long what is kept and what goes next; bring the configuration into the tables."`
	Report      reportCommand      `cmd:"" help:"Make compliance summaries and incident records; list, show and verify those that are kept."`
	Routes      routesCommand      `cmd:"" help:"Try out who is told of which alert."`
	Notify      notifyCommand      `cmd:"" help:"Send a test message; show what a rule's message looks like."`
	Baseline    baselineCommand    `cmd:"" help:"Judge a series of values of your own: how unusual is each?"`
	Rules       rulesCommand       `cmd:"" help:"List, show, test and import the detection rules."`
	Backtest    backtestCommand    `cmd:"" help:"Replay collected history against the rules, also with other parameters, and show what would change."`
	Formats     formatsCommand     `cmd:"" help:"List the log formats that are understood."`
	Subject     subjectCommand     `cmd:"" help:"Find, hand out or erase what is stored of one person."`
	Pseudonym   pseudonymCommand   `cmd:"" help:"Make a person's pseudonym, look one up among known users, make a key."`
	Explain     explainCommand     `cmd:"" help:"Show how a log is read: format, fields, redactions, rules."`
	Validate    validateCommand    `cmd:"" help:"Check a configuration and the rules; name file, line, column and the mend."`
	Simulate    simulateCommand    `cmd:"" help:"Write realistic logs of an invented company, with incidents of your choice."`
	Engine      engineCommand      `cmd:"" help:"Serve a data directory over the ClickHouse HTTP interface."`
	EngineChild engineChildCommand `cmd:"" hidden:"" name:"engine-child"`
	Bench       benchCommand       `cmd:"" help:"Measure loading against the engine's own reading of the same file."`
	BenchTail   benchTailCommand   `cmd:"" hidden:"" name:"bench-tail"`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// exitError ends the program with a code and, unless the message is empty, a line
// on standard error.
type exitError struct {
	code    int
	message string
}

func (e exitError) Error() string { return e.message }

// terminal is where a command talks to its user.
type terminal struct {
	out, err io.Writer
}

func main() {
	ctx, stop := interruptible()
	code := execute(ctx, os.Args[1:], terminal{out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, term terminal) int {
	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("crmwatch"),
		kong.Description("The monitor that notices when the integrations around a CRM are abused."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(term.out, term.err),
		kong.Exit(func(code int) { exited = code }),
		kong.Bind(term),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintf(term.err, "crmwatch: %v\n", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(term.err, "crmwatch: %v\nTry: crmwatch %s --help\n", err, firstCommand(args))
		return exitFailed
	}
	command.BindTo(withInvocation(ctx, command.Command(), args), (*context.Context)(nil))
	err = command.Run()
	var exit exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		if exit.message != "" {
			fmt.Fprintf(term.err, "crmwatch: %s\n", exit.message)
		}
		return exit.code
	case ctx.Err() != nil:
		fmt.Fprintln(term.err, "crmwatch: stopped")
		return exitFailed
	default:
		fmt.Fprintf(term.err, "crmwatch: %v\n", err)
		return exitFailed
	}
}

// firstCommand is the command's name for a hint, or nothing for an option.
func firstCommand(args []string) string {
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		return args[0]
	}
	return ""
}
