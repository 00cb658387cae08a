package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/detectors/sigma"
)

type importRulesCommand struct {
	Sigma importSigmaCommand `cmd:"" help:"Compile Sigma rules into rule files."`
}

type importSigmaCommand struct {
	ruleFlags
	Files        []string `arg:"" name:"file" help:"Sigma files, or folders of them. Correlations may refer to rules of any of them."`
	Out          string   `placeholder:"DIR" help:"Folder for the rule files; without it they are printed."`
	Overwrite    bool     `help:"Replace rule files that are there already."`
	LogsourceMap string   `placeholder:"FILE" help:"What log sources and fields are in the events table, where it is not known."`
}

func (importSigmaCommand) Help() string {
	return `Each Sigma rule becomes a rule file with SQL, tests and all, checked on the engine. What had to be assumed is said with
file, line and column. A rule that has mistakes is not written; the others are.

Example:
  crmwatch rules import sigma refused-calls.yml --out ./rules
  crmwatch rules test --rules ./rules`
}

func (c *importSigmaCommand) Run(ctx context.Context, term terminal) error {
	known, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	var options sigma.Options
	for _, rule := range known {
		options.Taken = append(options.Taken, rule.ID)
	}
	if c.LogsourceMap != "" {
		text, err := os.ReadFile(c.LogsourceMap)
		if err != nil {
			return fmt.Errorf("read log source map: %w", err)
		}
		if options.Logsources, err = sigma.ParseLogsources(c.LogsourceMap, text); err != nil {
			return exitError{exitFailed, "the log source map has mistakes:\n" + err.Error()}
		}
	}
	files, err := sigmaFiles(c.Files)
	if err != nil {
		return err
	}
	compiled, mistakes := sigma.Compile(files, options)
	if err := c.write(term, compiled); err != nil {
		return err
	}
	checked := checkCompiled(ctx, compiled)
	if mistakes = errors.Join(mistakes, checked); mistakes != nil {
		return exitError{exitFailed, "not all rules could be compiled:\n" + mistakes.Error()}
	}
	return nil
}

// sigmaFiles reads files and the files of folders.
func sigmaFiles(paths []string) ([]sigma.File, error) {
	var files []sigma.File
	read := func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read Sigma rule: %w", err)
		}
		files = append(files, sigma.File{Name: path, Text: text})
		return nil
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read Sigma rule: %w", err)
		case !info.IsDir():
			err = read(path)
		default:
			err = filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
				if ext := filepath.Ext(path); err != nil || entry.IsDir() || ext != ".yml" && ext != ".yaml" {
					return err
				}
				return read(path)
			})
		}
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no file of these is named *.yml or *.yaml: %s", strings.Join(paths, ", "))
	}
	return files, nil
}

// write writes or prints the rule files, and says what came of each.
func (c *importSigmaCommand) write(term terminal, compiled []sigma.Compiled) error {
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o755); err != nil {
			return fmt.Errorf("make rules folder: %w", err)
		}
	}
	incomplete := 0
	for _, rule := range compiled {
		report := term.out
		if c.Out == "" {
			report = term.err
			fmt.Fprintf(term.out, "# %s.yaml\n%s", rule.ID, rule.Text)
		} else {
			path := filepath.Join(c.Out, rule.ID+".yaml")
			if _, err := os.Stat(path); err == nil && !c.Overwrite {
				return fmt.Errorf("%s is there already: name another folder, or add --overwrite", path)
			}
			if err := os.WriteFile(path, rule.Text, 0o644); err != nil {
				return fmt.Errorf("write rule: %w", err)
			}
			fmt.Fprintf(report, "%s: %s\n", rule.Source, path)
		}
		for _, note := range rule.Notes {
			fmt.Fprintf(report, "  note: %s\n", strings.ReplaceAll(note.Error(), "\n", "\n  "))
		}
		for _, missing := range rule.Missing {
			fmt.Fprintf(report, "  to be written by you: %s\n", missing)
		}
		if len(rule.Missing) > 0 {
			incomplete++
		}
	}
	if c.Out != "" {
		fmt.Fprintf(term.out, "%s compiled", plural(len(compiled), "rule"))
		if incomplete > 0 {
			fmt.Fprintf(term.out, "; %d of them lack tests and do not validate until you have written them", incomplete)
		}
		fmt.Fprintln(term.out)
	}
	return nil
}

// checkCompiled runs the finished rules' queries on the engine.
func checkCompiled(ctx context.Context, compiled []sigma.Compiled) error {
	var rules []detectors.Rule
	for _, file := range compiled {
		if len(file.Missing) > 0 {
			continue
		}
		rule, err := detectors.Parse(file.ID+".yaml", file.Text)
		if err != nil {
			return err
		}
		rules = append(rules, rule)
	}
	if len(rules) == 0 {
		return nil
	}
	db, err := openDatabase(ctx, "", databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	return detectors.Validate(ctx, db.conn, rules)
}
