package formats

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// ipaasProduct is what is known about the structured records of an integration
// platform: JSON (one object a line, arrays, pages of an API), CSV and XML.
type ipaasProduct struct {
	// format and title are the format's; product, vendor and log those of its events.
	format, title, product, vendor, log string
	// names says what a field means, by its plain name: that of the whole path in
	// JSON ("contextuseremail"), of the column in CSV.
	names map[string]ipaasField
	// needs lists alternatives: a record must have all names of one of them. A name
	// that ends in "*" is the beginning of one.
	needs [][]string
	// element is the XML element that is a record; "" where there is no XML.
	element string
	// recognise says more about a JSON head than needs does; nil: needs is enough.
	recognise func(names []string, head []byte) bool
	// line says that the log can be followed.
	line bool
	// other finds a decoder for a file that is neither JSON nor XML nor usual CSV.
	other func(head []byte, o Options) Decoder
	// fill turns the fields into an event, or says why it cannot.
	fill func(*ipaasReader) *recordFailure
}

func (p *ipaasProduct) asFormat() Format {
	return Format{
		Name:   p.format,
		Title:  p.title,
		Line:   p.line,
		Detect: p.detect,
		New:    func(o Options) Decoder { return &ipaasDecoder{product: p, options: o} },
	}
}

// isRecord says whether plain names are those of a record.
func (p *ipaasProduct) isRecord(plain []string) bool {
	return slices.ContainsFunc(p.needs, func(alternative []string) bool {
		for _, need := range alternative {
			start, begins := strings.CutSuffix(need, "*")
			if !slices.ContainsFunc(plain, func(name string) bool { return name == need || begins && strings.HasPrefix(name, start) }) {
				return false
			}
		}
		return true
	})
}

func (p *ipaasProduct) detect(head []byte) string {
	head, encoding := plainHead(head)
	head = bytes.TrimLeft(head, " \t\r\n\x00")
	if len(head) == 0 {
		return ""
	}
	switch head[0] {
	case '{', '[':
		names := ipaasHeadNames(head)
		if p.isRecord(names) && (p.recognise == nil || p.recognise(names, head)) {
			return "JSON with the fields of " + p.title + encoding
		}
	case '<':
		if p.element != "" && p.detectXML(head) {
			return "XML with elements " + p.element + encoding
		}
	default:
		if p.other != nil && p.other(head, Options{}) != nil {
			return "lines with the columns of " + p.title + encoding
		}
		if p.isRecord(plainNames(firstRecord(head))) {
			return "CSV header with the columns of " + p.title + encoding
		}
	}
	return ""
}

func plainNames(names []string) []string {
	plain := make([]string, 0, len(names))
	for _, name := range names {
		if len(name) <= maxMemoKey {
			plain = append(plain, plainName(name))
		}
	}
	return plain
}

// ipaasHeadNames are the plain paths of the first object in a head that can be read,
// which may be cut off.
func ipaasHeadNames(head []byte) []string {
	for tries := 0; tries < 20 && len(head) > 0; tries++ {
		head = bytes.TrimLeft(head, " \t\r\n[,\x00")
		if len(head) == 0 {
			break
		}
		if head[0] == '{' {
			record := head
			if n, _, is, _ := ipaasEnvelope(head); is {
				record = bytes.TrimLeft(head[n:], " \t\r\n")
			}
			if len(record) > 0 && record[0] == '{' {
				objects := jsonObjects{classify: func(string) int { return 0 }}
				n, err := objects.object(record)
				if (err == nil || n >= len(record)) && len(objects.leaves) > 0 {
					names := make([]string, 0, len(objects.leaves))
					for _, leaf := range objects.leaves {
						names = append(names, leaf.node.path)
					}
					return plainNames(names)
				}
			}
		}
		_, head, _ = bytes.Cut(head, []byte{'\n'})
	}
	return nil
}

// ipaasDecoder chooses between JSON, XML and CSV when it sees the first byte.
type ipaasDecoder struct {
	product *ipaasProduct
	options Options
	decoder Decoder
}

// Decode implements Decoder.
func (d *ipaasDecoder) Decode(data []byte, atEOF bool, sink Sink) int {
	if d.decoder == nil {
		first := byte(0)
		if head := bytes.TrimLeft(bytes.TrimPrefix(data, byteOrderMark), " \t\r\n\x00"); len(head) > 0 && (len(data) >= 4 || atEOF) {
			first = head[0]
		} else if !atEOF && len(data) < HeadSize {
			return 0
		}
		if d.product.other != nil && !atEOF && len(data) < HeadSize && bytes.IndexByte(data, '\n') < 0 && first != '<' {
			return 0 // the first line decides
		}
		r := &ipaasReader{product: d.product, tenant: d.options.Tenant, zone: d.options.Zone}
		switch {
		case first == '<' && d.product.element != "" && !looksUTF16(data):
			d.decoder = newIPaaSXML(d.options.Start, r)
		case d.product.line: // a record that is damaged must not hold up the next line
			d.decoder = &newIPaaSPages(d.options.Start, r).jsonLog
		case first == '{' || first == '[':
			d.decoder = newIPaaSPages(d.options.Start, r)
		default:
			if d.product.other != nil {
				if d.decoder = d.product.other(bytes.TrimPrefix(data, byteOrderMark), d.options); d.decoder != nil {
					break
				}
			}
			d.decoder = newCSVRecords(d.options.Start, &ipaasTable{reader: r})
		}
	}
	return d.decoder.Decode(data, atEOF, sink)
}

// ipaasReader collects the fields of one record, and turns them into an event.
type ipaasReader struct {
	product   *ipaasProduct
	tenant    string
	zone      *time.Location
	addresses addresses
	hasher    schema.UIDHasher
	e         *schema.Event
	v         [ipaasFields]string
}

func (r *ipaasReader) begin(e *schema.Event) {
	r.e = e
	clear(r.v[:])
}

// classify finds what a path or a column means.
func (r *ipaasReader) classify(path string) ipaasField {
	if path == "@type" || len(path) > maxMemoKey {
		return ipaasUnmapped // else it would be taken for "type"
	}
	return r.product.names[plainName(path)]
}

// field takes one field. What stands twice under different names is kept too.
func (r *ipaasReader) field(path string, field ipaasField, value string) {
	value = strings.TrimSpace(value)
	switch {
	case value == "" || field == ipaasDropped:
	case field == ipaasUnmapped:
		if path != "@type" {
			r.e.AddUnmapped(path, value)
		}
	case field == ipaasParts && r.v[field] != "":
		if len(r.v[field]) < maxMessage {
			r.v[field] += "\n" + value
		}
	case r.v[field] == "":
		r.v[field] = value
	case r.v[field] != value:
		r.e.AddUnmapped(path, value)
	}
}

// end fills in the event. all adds the whole record to its identity, for records
// that have no id of their own.
func (r *ipaasReader) end(all func(*schema.UIDHasher)) *recordFailure {
	e := r.e
	if failure := r.product.fill(r); failure != nil {
		return failure
	}
	if e.Text[schema.MetadataTenantUID] == "" {
		e.Text[schema.MetadataTenantUID] = r.tenant
	}
	if e.Text[schema.MetadataProductName] == "" {
		e.Text[schema.MetadataProductName] = r.product.product
		e.Text[schema.MetadataProductVendorName] = r.product.vendor
	}
	if e.Text[schema.MetadataLogName] == "" {
		e.Text[schema.MetadataLogName] = r.product.log
	}
	e.Text[schema.MetadataLogFormat] = r.product.format
	if e.Number[schema.SeverityID] == 0 {
		e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
	}
	h := &r.hasher
	h.Reset()
	h.Part(e.Text[schema.MetadataTenantUID])
	h.Part(r.product.format)
	if id := r.v[ipaasID]; id != "" {
		// An export with more fields is still the same record; one that was run
		// again ends at another time.
		h.Part("id")
		h.Part(id)
		h.Number(uint64(e.Time))
		h.Part(r.v[ipaasStatus])
	} else {
		all(h)
	}
	e.UID = h.Sum()
	return nil
}
