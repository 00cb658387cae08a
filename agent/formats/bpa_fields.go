package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// bpaHeader is the columns that a header names; nil when line is none.
func bpaHeader(line []byte) []bpaColumn {
	if len(line) == 0 || line[0]|0x20-'a' >= 26 && line[0] != '"' || len(line) >= headSize {
		return nil
	}
	fields, _, ok := bpaFields(string(line), bpaDelimiter(string(line)))
	if !ok || len(fields) < 3 {
		return nil
	}
	columns, known, clock := make([]bpaColumn, 0, len(fields)), 0, false
	for _, name := range fields {
		field := bpaNames[plainName(name)]
		if field != ipaasUnmapped {
			known++
		}
		clock = clock || field == ipaasTime
		columns = append(columns, bpaColumn{strings.Clone(name), field})
	}
	if !clock || known < 3 {
		return nil
	}
	return columns
}

// bpaDelimiter is what stands between the columns of a line: behind the time, or
// what there is most of.
func bpaDelimiter(line string) byte {
	line, _, _ = strings.Cut(line, "\n")
	best, most := byte(','), 0
	for _, c := range []byte("\t;|,") {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
		if c != ',' && most >= 3 {
			return best
		}
	}
	return best
}

// bpaFields cuts a record at its delimiters. A field in quotes may have delimiters,
// lines and doubled quotes. more is what stands behind the end of the first line
// that no quotes hold. ok is false when a quote is not closed.
func bpaFields(text string, delimiter byte) (fields []string, more string, ok bool) {
	for i := 0; ; i++ {
		var field strings.Builder
		for i < len(text) && text[i] == ' ' {
			i++
		}
		if i < len(text) && text[i] == '"' {
			for i++; ; i++ {
				quote := strings.IndexByte(text[min(i, len(text)):], '"')
				if quote < 0 {
					return fields, "", false
				}
				field.WriteString(text[i : i+quote])
				i += quote + 1
				if i < len(text) && text[i] == '"' {
					field.WriteByte('"')
					continue
				}
				break
			}
		}
		end := i
		for end < len(text) && text[end] != delimiter && text[end] != '\n' {
			end++
		}
		field.WriteString(text[i:end])
		if len(fields) < maxCSVFields {
			fields = append(fields, strings.TrimSpace(field.String()))
		}
		if i = end; i >= len(text) {
			return fields, "", true
		}
		if text[i] == '\n' {
			return fields, text[i+1:], true
		}
	}
}

// finishBPA turns the fields into the run of a task's step.
func finishBPA(e *schema.Event, v *[ipaasFields]string) {
	e.Text[schema.MetadataProductName], e.Text[schema.MetadataProductVendorName] = "BPA Platform", "Codeless Platforms"
	e.Text[schema.MetadataLogName] = "event log"
	e.Text[schema.MetadataEventCode] = v[ipaasType]
	e.Text[schema.ActorAppName] = v[ipaasApp]
	e.Text[schema.ActorUserName] = v[ipaasUserName]
	e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	if v[ipaasApp] != "" {
		e.Text[schema.ResourcesName], e.Text[schema.ResourcesType] = v[ipaasApp], "task"
	}
	e.Text[schema.APIOperation] = v[ipaasStep]
	e.Text[schema.MetadataCorrelationUID] = v[ipaasCorrelation]
	e.Text[schema.SrcEndpointName] = v[ipaasHost]
	e.Text[schema.StatusCode] = v[ipaasStatus]
	setDuration(e, v[ipaasDuration], 1)
	setMessage(e, v[ipaasMessage])
	e.AddUnmapped("source", v[ipaasSource])
	severity, known := levelSeverity(v[ipaasLevel])
	if known {
		e.Number[schema.SeverityID] = uint64(severity)
	} else {
		e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
		e.AddUnmapped("level", v[ipaasLevel])
	}
	status := plainName(v[ipaasStatus])
	failed := severity >= schema.SeverityMedium || strings.HasPrefix(status, "fail") || strings.HasPrefix(status, "error")
	setRun(e, failed, v[ipaasMessage])
	switch {
	case failed:
		e.Number[schema.SeverityID] = max(e.Number[schema.SeverityID], uint64(schema.SeverityMedium))
	case strings.HasPrefix(status, "succe") || strings.HasPrefix(status, "complete") || status == "ok":
		e.Number[schema.StatusID] = schema.StatusSuccess
	case severity == schema.SeverityLow:
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassApplicationError, 1
	}
}
