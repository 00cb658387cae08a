// Package compliance makes summaries for auditors: what was monitored and what was not,
// what happened, who looked, what was done. A summary is a set of statements; each is a
// query with a sentence, kept with all that is needed to ask it again. Summaries are
// written as HTML, Markdown, JSON and CSV.
package compliance
