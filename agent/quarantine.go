package agent

import (
	"strings"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/schema"
)

// Limits of what is kept of records that could not be understood.
const (
	quarantineRows  = 4096
	quarantineBytes = 8 << 20
)

// quarantined turns a rejection into a row. Its identity is what it is and where
// it stood, so that reading the file again does not add a second row. redact
// cleans the content before it is cut: a secret across the cut stays whole for it.
func quarantined(source, file, format string, r formats.Rejection, redact func(string) string) schema.Quarantined {
	const overlap = 4 << 10
	content := r.Content
	if len(content) > schema.MaxQuarantineContent+overlap {
		content = content[:schema.MaxQuarantineContent+overlap]
	}
	text := strings.ToValidUTF8(redact(string(content)), "\uFFFD")
	if len(text) > schema.MaxQuarantineContent {
		text = strings.ToValidUTF8(text[:schema.MaxQuarantineContent], "")
	}
	var id schema.UIDHasher
	id.Part("quarantine")
	id.Part(file)
	id.Number(uint64(r.Offset))
	id.Part(r.Reason)
	id.Part(text)
	return schema.Quarantined{
		UID:       id.Sum(),
		Source:    source,
		File:      file,
		LogFormat: format,
		Line:      uint64(r.Line),
		Column:    uint32(r.Column),
		Offset:    uint64(r.Offset),
		Length:    uint64(len(r.Content)),
		Reason:    r.Reason,
		Detail:    r.Detail,
		Content:   text,
	}
}
