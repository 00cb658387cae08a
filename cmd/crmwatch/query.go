package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/term"
)

type queryCommand struct {
	Data    string   `placeholder:"DIR" help:"Data directory; a running crmwatch on it is asked, otherwise it is opened." xor:"where" required:""`
	DSNFile string   `name:"dsn-file" placeholder:"FILE" help:"File with the URL of a ClickHouse server: https://user:password@host:8443/database." xor:"where" required:""`
	Format  string   `default:"table" enum:"table,csv,json" help:"table, csv (with a header line) or json (one object a line). A FORMAT in the SQL goes first."`
	SQL     []string `arg:"" name:"sql" help:"The statement; - reads it from standard input."`
}

func (queryCommand) Help() string {
	return `The statement may only read. Rows that arrived more than once count once (final = 1).

Examples:
  crmwatch query --data ./data "SELECT count() FROM events"
  crmwatch query --data ./data --format csv "SELECT * FROM findings ORDER BY first_seen"
  crmwatch query --data ./data "SELECT reason, count() FROM quarantine GROUP BY reason"`
}

// outputFormats are ClickHouse's names of the formats that query offers.
var outputFormats = map[string]string{"table": "PrettyCompactMonoBlock", "csv": "CSVWithNames", "json": "JSONEachRow"}

func (q *queryCommand) Run(ctx context.Context, term terminal) error {
	sql := strings.Join(q.SQL, " ")
	if sql == "-" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
		if err != nil {
			return fmt.Errorf("read statement from standard input: %w", err)
		}
		sql = string(text)
	}
	ctx = withStatement(ctx, sql)
	if q.DSNFile != "" {
		server, err := readServer(q.DSNFile)
		if err != nil {
			return err
		}
		return q.post(ctx, term, server.http, server.url, server.user, server.password, sql)
	}
	db, err := openDatabase(ctx, q.Data, databaseOptions{mustExist: true})
	if err != nil {
		return err
	}
	defer db.close()
	reader := db.endpoint.Reader
	return q.post(ctx, term, db.endpoint.HTTPClient(), db.endpoint.URL, reader.User, reader.Password, sql)
}

// post sends the statement over the HTTP interface and copies the answer, in the
// format that ClickHouse itself writes.
func (q *queryCommand) post(ctx context.Context, term terminal, client *http.Client, address, user, password, sql string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("parse server address: %w", err)
	}
	settings := u.Query()
	settings.Set("default_format", outputFormats[q.Format])
	settings.Set("final", "1")
	settings.Set("wait_end_of_query", "0")
	if q.Format == "table" {
		settings.Set("output_format_pretty_color", colorSetting(term.out))
		settings.Set("output_format_pretty_row_numbers", "0")
	}
	u.RawQuery = settings.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(sql))
	if err != nil {
		return fmt.Errorf("prepare query: %w", err)
	}
	request.SetBasicAuth(user, password)
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("send query: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
		return exitError{exitFailed, "the query failed: " + strings.TrimSpace(string(text))}
	}
	if _, err := io.Copy(term.out, response.Body); err != nil {
		return fmt.Errorf("copy answer: %w", err)
	}
	return nil
}

// colorSetting is "1" when w is a terminal whose user did not ask for no colour.
func colorSetting(w io.Writer) string {
	if isTerminal(w) && os.Getenv("NO_COLOR") == "" {
		return "1"
	}
	return "0"
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
