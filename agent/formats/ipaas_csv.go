package formats

import (
	"github.com/crmwatch/crmwatch/schema"
)

// ipaasTable reads the records of a CSV export.
type ipaasTable struct {
	reader *ipaasReader
	names  []string
	fields []ipaasField
	byName []schema.NamedField
}

func (t *ipaasTable) wanted() string {
	return "a header that names the columns of " + t.reader.product.title
}

func (t *ipaasTable) isHeader(fields []string) bool {
	return t.reader.product.isRecord(plainNames(fields))
}

func (t *ipaasTable) setHeader(fields []string) string {
	names, wrong := columnNames(fields)
	if wrong != "" {
		return wrong
	}
	t.names, t.fields = names, t.fields[:0]
	for _, name := range names {
		t.fields = append(t.fields, t.reader.classify(name))
	}
	t.byName = orderByName(plainNames(names))
	return ""
}

// row implements csvTable.
func (t *ipaasTable) row(fields []string, e *schema.Event) *csvFailure {
	t.reader.begin(e)
	for i, value := range fields {
		t.reader.field(t.names[i], t.fields[i], value)
	}
	if failure := t.reader.end(func(h *schema.UIDHasher) { h.Fields(fields, t.byName) }); failure != nil {
		return &csvFailure{failure.reason, failure.detail, -1}
	}
	return nil
}
