package compliance

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// WriteCSV writes the annex of a summary as a zip archive: one file NN-STATEMENT.csv a
// statement, with all its rows.
func WriteCSV(w io.Writer, s Summary) error {
	archive := zip.NewWriter(w)
	err := eachCSV(s, func(name string, text []byte) error {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: s.Making.At.UTC()}
		header.SetMode(0o600)
		f, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = f.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("write annex: %w", err)
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("write annex: %w", err)
	}
	return nil
}

// WriteCSVFolder writes the annex into a folder, which is made if it is not there.
func WriteCSVFolder(folder string, s Summary) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("write annex: %w", err)
	}
	return eachCSV(s, func(name string, text []byte) error {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return fmt.Errorf("write annex: %w", err)
		}
		return nil
	})
}

func eachCSV(s Summary, write func(name string, text []byte) error) error {
	number := 0
	for _, answer := range s.Content.answers {
		number++
		text, err := answerCSV(answer)
		if err != nil {
			return err
		}
		if err := write(annexName(number, answer), text); err != nil {
			return err
		}
	}
	return nil
}

// answerCSV is RFC 4180, in UTF-8: a header line with the names of the columns, then
// all rows.
func answerCSV(a Answer) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	names := make([]string, len(a.Columns))
	for i, column := range a.Columns {
		names[i] = column.Name
	}
	if len(names) == 0 {
		names = []string{"problem"}
	}
	if err := w.Write(names); err != nil {
		return nil, err
	}
	if a.Problem != "" && len(a.Rows) == 0 {
		if err := w.Write(append([]string{csvText(a.Problem)}, make([]string, len(names)-1)...)); err != nil {
			return nil, err
		}
	}
	for _, row := range a.Rows {
		record := make([]string, len(row))
		for i, c := range row {
			record[i] = csvCell(c)
		}
		if err := w.Write(record); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// csvCell writes numbers as they are, so that a spreadsheet can reckon with them: a
// number cannot be a formula. All else that a spreadsheet would take for one begins
// with an apostrophe, which it takes for "this is text".
func csvCell(c any) string {
	switch c := c.(type) {
	case nil:
		return ""
	case json.Number:
		return c.String()
	case bool:
		return fmt.Sprint(c)
	case []any:
		texts := make([]string, len(c))
		for i, entry := range c {
			texts[i] = strings.TrimPrefix(csvCell(entry), "'")
		}
		return csvText(strings.Join(texts, "; "))
	case string:
		return csvText(c)
	}
	return csvText(fmt.Sprint(c))
}

// csvText keeps a text from being a formula. Spreadsheets skip white space and quotes
// before one, and take a tab or a line's end for the end of a cell.
func csvText(text string) string {
	if first := strings.TrimLeft(text, " \t\r\n\u00a0\ufeff'\""); first != "" && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20|%", []rune(first)[0]) {
		return "'" + text
	}
	return text
}
