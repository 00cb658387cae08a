package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// judge makes one result a tenant out of what a check looked at.
func (c Check) judge(places []place, rows []row, unset []string, query string) []Result {
	byPlace := map[place][]row{}
	for _, r := range rows {
		p := place{r.tenant, r.product}
		byPlace[p] = append(byPlace[p], r)
	}
	return c.results(places, query, func(p place) (Product, bool) {
		if len(byPlace[p]) > 0 {
			return c.product(p.product, byPlace[p]), true
		}
		need := of(c.Needs, p.product)
		if need == "" {
			return Product{}, false
		}
		reason := "nothing in which it would show; it needs " + need
		if len(unset) > 0 {
			reason = c.sayUnset(unset)
		}
		return Product{Product: p.product, Verdict: CannotJudge, Reason: reason, Evidence: []Evidence{}}, true
	})
}

func (c Check) sayUnset(unset []string) string {
	var kinds []string
	for _, name := range unset {
		p, _ := c.param(name)
		for _, kind := range p.Inventory {
			kinds = append(kinds, "inventory."+kind)
		}
	}
	if len(kinds) > 0 {
		return "the configuration has no " + strings.Join(kinds, " or ")
	}
	return "the configuration does not set " + strings.Join(unset, ", ")
}

// queryFailed begins the reason of a check whose query could not be run.
const queryFailed = "its query failed: "

// failed is the result of a check whose query could not be run.
func (c Check) failed(places []place, cause error, query string) []Result {
	text := strings.Join(strings.Fields(cause.Error()), " ")
	return c.results(places, query, func(p place) (Product, bool) {
		return Product{Product: p.product, Verdict: CannotJudge, Reason: queryFailed + shorten(text, 400), Evidence: []Evidence{}}, true
	})
}

// results puts the products of each tenant together. look says what there is of a place,
// and false where the check does not concern it.
func (c Check) results(places []place, query string, look func(place) (Product, bool)) (results []Result) {
	for i, p := range places {
		if i == 0 || places[i-1].tenant != p.tenant {
			results = append(results, Result{Check: c.ID, Title: c.Title, Tenant: p.tenant, Why: c.Why, Question: c.Question, Limits: c.Limits, Controls: append([]string{}, c.Controls...),
				Things: c.Plural, Products: []Product{}, Query: query})
		}
		r := &results[len(results)-1]
		seen, concerned := look(p)
		if !concerned {
			continue
		}
		r.Products = append(r.Products, seen)
		r.Verdict = worse(r.Verdict, seen.Verdict)
		r.LookedAt += seen.LookedAt
		r.NotPassed += seen.NotPassed
		r.NotJudged += seen.NotJudged
		if r.Reason == "" || seen.NotJudged > r.reasonOf {
			r.Reason, r.reasonOf = seen.Reason, seen.NotJudged
		}
	}
	for i := range results {
		r := &results[i]
		if r.LookedAt == 1 {
			r.Things = c.Singular
		}
		switch {
		case len(r.Products) == 0:
			r.NotConcerned, r.Verdict, r.Reason = true, CannotJudge, "no log of a product that it concerns: "+strings.Join(c.concerns(), ", ")
		case r.Verdict != CannotJudge:
			r.Reason = ""
		}
	}
	return results
}

func (c Check) concerns() (products []string) {
	for name := range c.Needs {
		products = append(products, name)
	}
	slices.Sort(products)
	return products
}

// product judges the things of one product: as the worst of them, and not at all where
// none of them could be judged.
func (c Check) product(name string, rows []row) Product {
	p := Product{Product: name, Evidence: []Evidence{}}
	reasons := map[string]int{}
	for _, r := range rows {
		e := Evidence{r.thing, Verdict(r.verdict), r.says, r.events, r.first.UTC(), r.last.UTC()}
		switch e.Verdict {
		case Pass:
			p.LookedAt++
			p.Verdict = worse(p.Verdict, Pass)
			if !slices.Contains(p.passed, r.says) && len(p.passed) < 2 {
				p.passed = append(p.passed, r.says)
			}
			continue
		case Attention, Fail:
			p.LookedAt++
			p.NotPassed++
			p.Verdict = worse(p.Verdict, e.Verdict)
		default:
			e.Verdict = CannotJudge
			p.NotJudged++
			reasons[r.says]++
			if n := reasons[r.says]; p.Reason == "" || n > reasons[p.Reason] || n == reasons[p.Reason] && r.says < p.Reason {
				p.Reason = r.says
			}
		}
		p.Evidence = append(p.Evidence, e)
	}
	if p.Verdict == Pass && p.NotJudged > p.LookedAt {
		// A few that are in order say nothing of the many that nobody could look at.
		p.Reason = fmt.Sprintf("only %d of %d %s could be judged; of the others: %s", p.LookedAt, p.LookedAt+p.NotJudged, c.Plural, p.Reason)
		p.Verdict = CannotJudge
	}
	p.Verdict = cmp.Or(p.Verdict, CannotJudge)
	if p.Verdict != CannotJudge {
		p.Reason = ""
	}
	if p.NotPassed > 0 {
		p.Mend = of(c.Mend, name)
	}
	slices.SortStableFunc(p.Evidence, func(a, b Evidence) int {
		return cmp.Or(cmp.Compare(order(b.Verdict), order(a.Verdict)), cmp.Compare(b.Events, a.Events), cmp.Compare(a.Thing, b.Thing), cmp.Compare(a.Says, b.Says))
	})
	if len(p.Evidence) > maxEvidence {
		p.Evidence = p.Evidence[:maxEvidence]
	}
	return p
}

func shorten(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// sayThings is a number of things.
func (r Result) sayThings() string { return fmt.Sprintf("%d %s", r.LookedAt, r.Things) }
