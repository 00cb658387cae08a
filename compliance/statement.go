package compliance

import "text/template"

// Show is how a statement's rows are shown.
type Show string

// The ways of showing rows.
const (
	// ShowFigures shows one row, each column a figure, beside those of the period before.
	ShowFigures Show = "figures"
	ShowTable   Show = "table"
	// ShowTrend plots numbers over the first column, a day or an hour.
	ShowTrend Show = "trend"
	// ShowList shows each row as a line.
	ShowList Show = "list"
)

// Front is where on the front page a statement's sentence stands as well.
type Front string

// The places on the front page.
const (
	// FrontNone is for statements that only their section shows.
	FrontNone Front = ""
	// FrontAttention is for what somebody has to look at, where there are rows.
	FrontAttention Front = "attention"
	// FrontUnmonitored is for what was not seen, where there are rows.
	FrontUnmonitored Front = "unmonitored"
)

// Unit is what a number counts; it decides how people are shown it.
type Unit string

// The units. Others are written behind the number as they are.
const (
	UnitNone         Unit = ""
	UnitBytes        Unit = "bytes"
	UnitMilliseconds Unit = "ms"
	UnitSeconds      Unit = "s"
	// UnitPercent is of numbers from 0 to 100.
	UnitPercent Unit = "percent"
	// UnitID is of numbers that are names, such as a class of OCSF: they are not counted.
	UnitID Unit = "id"
)

// Section is a part of a summary.
type Section struct {
	ID, Title, About string
	Statements       []Statement
}

// Statement is one question that a summary answers.
type Statement struct {
	ID, Title string
	// Controls are ids of the list of controls that the statement is evidence for.
	Controls []string
	Show     Show
	Front    Front
	// Columns says how to show columns of the query's result, by name.
	Columns map[string]ColumnFormat
	// Query is one SELECT over the parameters from, to and tenant.
	Query string
	// Empty says why no row came back and what would change that.
	Empty string
	// Limit is how many rows HTML and Markdown show.
	Limit int

	says *template.Template
	// line and column are where the statement stands in its file.
	line, column int
}

// ColumnFormat is how a column is shown.
type ColumnFormat struct {
	Title string
	Unit  Unit
	// Front puts a figure on the front page.
	Front bool
}
