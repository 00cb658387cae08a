package posture

import (
	"cmp"
	"slices"
	"time"
)

// Report is what the checks said of a period [From, To) in event time. Its JSON is stable:
// fields are added, none is renamed.
type Report struct {
	RanAt time.Time `json:"ran_at"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	// Results are sorted by tenant and check.
	Results []Result `json:"results"`
}

// Result is what one check said of one tenant.
type Result struct {
	Check    string   `json:"check"`
	Title    string   `json:"title"`
	Tenant   string   `json:"tenant"`
	Verdict  Verdict  `json:"verdict"`
	Why      string   `json:"why"`
	Question string   `json:"question"`
	Limits   string   `json:"limits,omitempty"`
	Controls []string `json:"controls"`
	// LookedAt is how many things were judged, NotPassed how many of them did not pass,
	// NotJudged how many more were seen and could not be judged.
	LookedAt  uint64 `json:"looked_at"`
	NotPassed uint64 `json:"not_passed"`
	NotJudged uint64 `json:"not_judged"`
	Things    string `json:"things"`
	// Reason is why it could not be judged.
	Reason   string    `json:"reason,omitempty"`
	Products []Product `json:"products"`
	// Query is the statement with its values, to be run again.
	Query string `json:"query"`
	// NotConcerned says that the tenant has no log of a product that it concerns.
	NotConcerned bool `json:"not_concerned,omitempty"`
	// reasonOf is how many things the reason is about.
	reasonOf uint64
}

// Product is what a check said of the logs of one product.
type Product struct {
	Product   string  `json:"product"`
	Verdict   Verdict `json:"verdict"`
	LookedAt  uint64  `json:"looked_at"`
	NotPassed uint64  `json:"not_passed"`
	NotJudged uint64  `json:"not_judged"`
	Reason    string  `json:"reason,omitempty"`
	Mend      string  `json:"mend,omitempty"`
	// Evidence are the things that did not pass, the worst first; at most 20.
	Evidence []Evidence `json:"evidence"`
	// passed is what was said of things that passed: one text where it is the same of all,
	// two where it is not.
	passed []string
}

// Evidence is a thing that did not pass, or could not be judged.
type Evidence struct {
	Thing     string    `json:"thing"`
	Verdict   Verdict   `json:"verdict"`
	Says      string    `json:"says"`
	Events    uint64    `json:"events"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// maxEvidence is how many things of one product a result names.
const maxEvidence = 20

// Count is how many results have a verdict.
func (r Report) Count(v Verdict) (n int) {
	for _, result := range r.Results {
		if result.Verdict == v {
			n++
		}
	}
	return n
}

// Tenants are those of the results, in order.
func (r Report) Tenants() (tenants []string) {
	for _, result := range r.Results {
		if !slices.Contains(tenants, result.Tenant) {
			tenants = append(tenants, result.Tenant)
		}
	}
	return tenants
}

// Only is the report with the results of some checks.
func (r Report) Only(keep func(Result) bool) Report {
	results := []Result{}
	for _, result := range r.Results {
		if keep(result) {
			results = append(results, result)
		}
	}
	r.Results = results
	return r
}

// AtLeast says whether a result is as bad as a verdict; what could not be judged is not.
func (r Report) AtLeast(v Verdict) bool {
	return slices.ContainsFunc(r.Results, func(result Result) bool { return result.Verdict != CannotJudge && result.Verdict.rank() >= v.rank() })
}

// sort puts the results of a tenant together, the worst first.
func (r *Report) sort() {
	slices.SortStableFunc(r.Results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(order(b.Verdict), order(a.Verdict)), cmp.Compare(a.Check, b.Check))
	})
}

// order is that of a table: what fails first, what could not be judged last.
func order(v Verdict) int {
	if v == CannotJudge {
		return -1
	}
	return v.rank()
}
