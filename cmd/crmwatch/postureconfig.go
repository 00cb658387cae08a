package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/crmwatch/crmwatch/compliance/posture"
	"github.com/crmwatch/crmwatch/detectors"
)

// postureConfig says which checks of the posture are run, and how.
type postureConfig struct {
	// Directories are folders with checks of the user's own.
	Directories []string `yaml:"directories"`
	Disabled    []string `yaml:"disabled"`
	// Parameters differ from those of a check's file; the check "shared" has those by which
	// all tell people from integrations.
	Parameters map[string]map[string]any `yaml:"parameters"`
	// Schedule is when crmwatch run asks them: a cron line in UTC, or off.
	Schedule string `yaml:"schedule"`
}

// postureOff is posture.schedule for those who want none.
const postureOff = "off"

// posture checks the configuration of the posture.
func (c *configCheck) posture(cfg postureConfig) {
	if cfg.Schedule != postureOff && detectors.CheckSchedule(cfg.Schedule) != nil {
		c.fail("$.posture.schedule", "posture.schedule is %q: use @daily, a cron line in UTC such as \"0 5 * * *\", or off", cfg.Schedule)
	}
	shared, checks, err := cfg.load()
	if err != nil {
		c.fail("$.posture.directories", "the checks have mistakes:\n%v", err)
		return
	}
	ids := []string{posture.SharedID}
	for _, check := range checks {
		ids = append(ids, check.ID)
	}
	for i, id := range cfg.Disabled {
		if !slices.Contains(ids, id) {
			c.fail(fmt.Sprintf("$.posture.disabled[%d]", i), "there is no check %q: crmwatch posture list names them", id)
		}
	}
	for id, values := range cfg.Parameters {
		place := "$.posture.parameters.'" + id + "'"
		if !slices.Contains(ids, id) {
			c.fail(place, "there is no check %q: crmwatch posture list names them", id)
			continue
		}
		if id == posture.SharedID {
			_, err = shared.WithParameters(values)
		} else {
			_, err = checks[slices.IndexFunc(checks, func(check posture.Check) bool { return check.ID == id })].WithParameters(values)
		}
		if err != nil {
			c.fail(place, "%v", err)
		}
	}
}

func (cfg postureConfig) load() (posture.Shared, []posture.Check, error) {
	shared, err := posture.BuiltinShared()
	if err != nil {
		return shared, nil, err
	}
	checks, err := posture.Load(cfg.Directories...)
	return shared, checks, err
}

// checks are those that are not disabled, as the configuration sets them.
func (cfg postureConfig) checks(known detectors.Inventory) (posture.Shared, []posture.Check, error) {
	shared, checks, err := cfg.load()
	if err != nil {
		return shared, nil, err
	}
	if shared, err = shared.WithParameters(cfg.Parameters[posture.SharedID]); err != nil {
		return shared, nil, err
	}
	var kept []posture.Check
	var problems []error
	for _, check := range checks {
		if slices.Contains(cfg.Disabled, check.ID) {
			continue
		}
		tuned, err := check.WithInventory(known).WithParameters(cfg.Parameters[check.ID])
		problems = append(problems, err)
		kept = append(kept, tuned)
	}
	return shared, kept, errors.Join(problems...)
}
