package compliance

// FrontPage is what a message about a summary tells of it, in plain text: log text in it
// has no control characters, and has to be escaped for where it goes.
type FrontPage struct {
	Title, Tenant, Period string
	Figures               []FrontFigure
	// Notices must be known before the first figure; Attention is what somebody has to
	// look at, Unmonitored what was not seen.
	Notices, Attention, Unmonitored []string
}

// FrontFigure is a figure in words, with how it was in the period before.
type FrontFigure struct{ Title, Value, Change string }

// FrontPage is that of the summary.
func (s Summary) FrontPage() (FrontPage, error) {
	v, err := newView(s)
	if err != nil {
		return FrontPage{}, err
	}
	p := FrontPage{Title: v.Title, Tenant: v.Tenant, Period: v.Period, Notices: v.Notices}
	for _, g := range v.Glance {
		p.Figures = append(p.Figures, FrontFigure{g.Title, g.Value, g.Change})
	}
	for _, a := range v.Attention {
		p.Attention = append(p.Attention, a.Text)
	}
	for _, u := range v.Unmonitored {
		p.Unmonitored = append(p.Unmonitored, u.Text)
	}
	return p, nil
}
