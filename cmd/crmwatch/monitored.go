package main

import (
	"context"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// monitoredFlags name data that has been collected, and the rules that watch it.
type monitoredFlags struct {
	Data   string   `placeholder:"DIR" help:"Data directory; a running crmwatch on it is asked, otherwise it is opened." xor:"where" required:""`
	Config string   `placeholder:"FILE" help:"Configuration of crmwatch run: its data, its rules and their parameters." xor:"where" required:""`
	Rules  []string `placeholder:"DIR" help:"Folders with rules of your own, beside the built-in ones and those of the configuration."`
}

// monitored is a store and the rules as they are set for it.
type monitored struct {
	conn  schema.Store
	rules []detectors.Rule
	// config is empty where a directory was named.
	config config
	close  func()
}

func (f monitoredFlags) open(ctx context.Context) (*monitored, error) {
	m := &monitored{}
	var err error
	if f.Config != "" {
		if m.config, err = loadConfig(f.Config); err != nil {
			return nil, configMistakes(err)
		}
	}
	m.rules, err = detectors.Load(append(f.Rules, m.config.Rules.Directories...)...)
	if err != nil {
		return nil, exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	if m.rules, err = m.config.Rules.apply(f.Config, m.rules); err != nil {
		return nil, configMistakes(err)
	}
	if m.config.Store.DSNFile != "" {
		if m.conn, err = openServer(ctx, m.config.Store.DSNFile); err != nil {
			return nil, err
		}
		m.close = func() { _ = m.conn.Close() }
	} else {
		dir := f.Data
		if f.Config != "" {
			dir = m.config.Data
		}
		db, err := openDatabase(ctx, dir, databaseOptions{mustExist: true})
		if err != nil {
			return nil, err
		}
		m.conn, m.close = db.conn, db.close
	}
	if err := detectors.Validate(ctx, m.conn, detectors.Own(m.rules)); err != nil {
		m.close()
		return nil, exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	return m, nil
}

// flag is the option by which the data were named, for commands that are shown.
func (f monitoredFlags) flag() string {
	if f.Config != "" {
		return "--config " + f.Config
	}
	return "--data " + f.Data
}
