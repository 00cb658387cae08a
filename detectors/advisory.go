package detectors

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// advisory is one published warning: the clients and networks that attackers were
// seen with. It is data, dated because such marks age, in a YAML file of a folder
// advisories beside the rules.
type advisory struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Published is the day, as 2025-08-26.
	Published string `yaml:"published"`
	Source    string `yaml:"source"`
	// UserAgents are whole user agents, or with a * at the end how they begin.
	UserAgents []string `yaml:"user_agents"`
	// CommonUserAgents are those that honest programs use as well.
	CommonUserAgents []string `yaml:"common_user_agents"`
	// Networks are addresses and CIDR ranges.
	Networks []string `yaml:"networks"`
}

// advisoryMark stands between a listed value and the advisory that lists it.
const advisoryMark = " # "

// advisoryKinds are what a parameter can take from the advisories.
var advisoryKinds = []string{"user_agents", "common_user_agents", "networks"}

// values are the advisory's entries of a kind, each with its origin.
func (a advisory) values(kind string) []string {
	list := map[string][]string{"user_agents": a.UserAgents, "common_user_agents": a.CommonUserAgents, "networks": a.Networks}[kind]
	marked := make([]string, len(list))
	for i, value := range list {
		marked[i] = value + advisoryMark + a.ID + ", " + a.Published
	}
	return marked
}

// parseAdvisory reads one file; the error is Problems.
func parseAdvisory(file string, text []byte) (advisory, error) {
	var a advisory
	src := newSource(file, text)
	if err := yaml.UnmarshalWithOptions(text, &a, yaml.Strict()); err != nil {
		return a, Problems{yamlProblem(src, err)}
	}
	fail := func(detail, mend string) error { return Problems{src.at(0, 0, detail, mend)} }
	if !kebabCase.MatchString(a.ID) {
		return a, fail(fmt.Sprintf("id %q of an advisory is not lower-case words joined by dashes", a.ID), "for example id: acme-warning-7")
	}
	if _, err := time.Parse(time.DateOnly, a.Published); err != nil {
		return a, fail(fmt.Sprintf("published %q is not a day", a.Published), "write for example published: 2025-08-26; marks of attackers age")
	}
	for _, value := range slices.Concat(a.UserAgents, a.CommonUserAgents) {
		if strings.Trim(value, "* ") == "" || strings.Contains(value, advisoryMark) {
			return a, fail(fmt.Sprintf("user agent %q would match everything, or holds %q", value, advisoryMark), "write the user agent, with a * at the end for any ending")
		}
	}
	for _, value := range a.Networks {
		_, notRange := netip.ParsePrefix(value)
		if _, notAddress := netip.ParseAddr(value); notRange != nil && notAddress != nil {
			return a, fail(fmt.Sprintf("%q is neither an address nor a network", value), "write for example 203.0.113.9 or 203.0.113.0/24")
		}
	}
	return a, nil
}

// extend adds what the advisories list to the rule's parameters that ask for it.
func (r Rule) extend(advisories []advisory) Rule {
	r.Params = slices.Clone(r.Params)
	for i, p := range r.Params {
		if p.Advisories == "" {
			continue
		}
		list := slices.Clone(p.Value.([]string))
		for _, a := range advisories {
			list = append(list, a.values(p.Advisories)...)
		}
		r.Params[i].Value = list
	}
	return r
}
