package formats

import (
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// rtemFinding reads a threat that Salesforce itself has found. Its score is 0 to 1
// in some events and 0 to 100 in others; what was written is kept beside the score
// out of 100, which decides the severity. A low score never makes less than one step
// below what the finding means without one.
func rtemFinding(r *rtemRecord) uint64 {
	e := r.reader.event
	if written := r.values[rtemScore]; written != "" {
		e.AddUnmapped("Score", written)
		if score, ok := riskScore(written); ok {
			e.AddUnmapped("risk_score", strconv.Itoa(score))
			e.Number[schema.SeverityID] = max(e.Number[schema.SeverityID]-1, uint64(scoreSeverity(score)))
		}
	}
	if data := r.values[rtemSecurityEventData]; data != "" {
		e.AddUnmapped("SecurityEventData", r.features(data))
	}
	return findingCreate
}

// riskScore is a score out of 100.
func riskScore(written string) (score int, ok bool) {
	value, err := strconv.ParseFloat(written, 64)
	switch {
	case err != nil || !(value >= 0 && value <= 100):
		return 0, false
	case value <= 1:
		value *= 100
	}
	return int(value + 0.5), true
}

// scoreSeverity: what Salesforce is less sure of weighs less.
func scoreSeverity(score int) schema.Severity {
	switch {
	case score >= 90:
		return schema.SeverityCritical
	case score >= 70:
		return schema.SeverityHigh
	case score >= 40:
		return schema.SeverityMedium
	}
	return schema.SeverityLow
}

// maxFeatures is how many features of a finding are read.
const maxFeatures = 32

// features writes the reasons of a finding, a JSON array inside a string, for people:
// "rowCount: 950000 (91.20 %); userAgent: A -> B". What is something else is
// returned as it is.
func (r *rtemRecord) features(data string) string {
	if r.inner.classify == nil {
		r.inner.classify = func(path string) int { return featureRoles[plainName(path[:min(len(path), maxMemoKey)])] }
	}
	var text strings.Builder
	rest := []byte(data)
	for n := 0; n < maxFeatures; n++ {
		rest = trimJSONList(rest)
		if len(rest) == 0 && n > 0 {
			return text.String()
		}
		if len(rest) == 0 || rest[0] != '{' {
			return data
		}
		length, err := r.inner.object(rest)
		if err != nil {
			return data
		}
		var of [featureRoleCount]string
		for i := range r.inner.leaves {
			leaf := &r.inner.leaves[i]
			of[leaf.node.field] = leaf.text
		}
		rest = rest[length:]
		if of[featureName] == "" {
			return data
		}
		if n > 0 {
			text.WriteString("; ")
		}
		text.WriteString(of[featureName])
		switch {
		case of[featureValue] != "":
			text.WriteString(": " + of[featureValue])
		case of[featureBefore] != "" || of[featureNow] != "":
			text.WriteString(": " + of[featureBefore] + " -> " + of[featureNow])
		}
		if of[featureContribution] != "" {
			text.WriteString(" (" + of[featureContribution] + ")")
		}
	}
	return data
}

func trimJSONList(data []byte) []byte {
	for len(data) > 0 && (isJSONSpace(data[0]) || data[0] == '[' || data[0] == ']') {
		data = data[1:]
	}
	return data
}

const (
	featureOther = iota
	featureName
	featureValue
	featureContribution
	featureBefore
	featureNow
	featureRoleCount
)

var featureRoles = map[string]int{
	"featurename": featureName, "featurevalue": featureValue, "featurecontribution": featureContribution,
	"previousvalue": featureBefore, "currentvalue": featureNow,
}
