package posture

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

//go:embed checks/*.yaml
var builtinFiles embed.FS

// Load reads the checks that ship with crmwatch and those of the folders, every file
// named *.yaml or *.yml in them, in the order of their ids. The error is
// detectors.Problems and lists everything that is wrong.
func Load(folders ...string) ([]Check, error) {
	controls, err := detectors.BuiltinControls()
	if err != nil {
		return nil, err
	}
	shared, err := BuiltinShared()
	if err != nil {
		return nil, err
	}
	var checks []Check
	var problems detectors.Problems
	files := detectors.ReadFolder(builtinFiles, "checks", "checks/")
	for _, folder := range folders {
		files = append(files, detectors.ReadFolder(os.DirFS(folder), ".", folder+string(filepath.Separator))...)
	}
	for _, f := range files {
		if f.Err != nil {
			problems = append(problems, detectors.Problem{File: f.Name, Detail: f.Err.Error(), Mend: "check that it exists and can be read"})
			continue
		}
		c, err := Parse(f.Name, f.Text, shared, controls)
		var found detectors.Problems
		if errors.As(err, &found) {
			problems = append(problems, found...)
			continue
		}
		if i := slices.IndexFunc(checks, func(other Check) bool { return other.ID == c.ID }); i >= 0 {
			problems = append(problems, detectors.Problem{File: c.File, Detail: fmt.Sprintf("id %s is also that of %s", c.ID, checks[i].File), Mend: "give each check an id of its own"})
			continue
		}
		checks = append(checks, c)
	}
	slices.SortFunc(checks, func(a, b Check) int { return strings.Compare(a.ID, b.ID) })
	if len(problems) > 0 {
		return nil, problems
	}
	return checks, nil
}

// Text is the file of a check, or with SharedID what all checks share.
func Text(id string, folders ...string) ([]byte, error) {
	if id == SharedID {
		return sharedText, nil
	}
	checks, err := Load(folders...)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(checks, func(c Check) bool { return c.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("there is no check %q: crmwatch posture list names them", id)
	}
	return checks[i].text, nil
}

// WithInventory is the check with what the inventory lists added to the parameters that
// ask for it.
func (c Check) WithInventory(inventory detectors.Inventory) Check {
	c.Params = slices.Clone(c.Params)
	for i, p := range c.Params {
		list, isList := p.Value.([]string)
		if !isList {
			continue
		}
		list = slices.Clone(list)
		for _, kind := range p.Inventory {
			list = append(list, inventory.List(kind)...)
		}
		c.Params[i].Value = list
	}
	return c
}
