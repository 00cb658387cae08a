package sigma

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

// Logsource says what a Sigma log source is in the events table. Empty parts of a
// name fit any.
type Logsource struct {
	Product, Service, Category string
	// Where has the values that columns must have: one of them is enough.
	Where map[string][]string
	// Fields names the column of a Sigma field, where it differs from the usual one.
	Fields map[string]string
}

// source is what a rule's log source means.
type source struct {
	// name is the log source as the rule writes it.
	name   string
	where  []clause
	fields map[string]field
	// entity is user, network or integration where the rule's fields do not tell.
	entity string
}

// clause is a column and the values that it may have.
type clause struct {
	column string
	values []string
}

// knownLogsources are the log sources that crmwatch reads. The first one that fits the
// product, and the first one that fits the category, are taken; an entry with a service
// goes before one without.
var knownLogsources = []Logsource{
	{Product: "salesforce", Service: "login", Where: map[string][]string{"metadata_product_name": {"Salesforce"}, "class_uid": {"3002"}, "metadata_log_name": {"Login", "LoginHistory", "LoginEvent", "LoginEventStream"}}},
	{Product: "salesforce", Service: "setupaudittrail", Where: map[string][]string{"metadata_product_name": {"Salesforce"}, "metadata_log_name": {"SetupAuditTrail"}}},
	{Product: "salesforce", Where: map[string][]string{"metadata_product_name": {"Salesforce"}}},
	{Product: "azure", Service: "signinlogs", Where: map[string][]string{"metadata_product_name": {"Microsoft Entra ID"}, "class_uid": {"3002"}}},
	{Product: "azure", Service: "signin", Where: map[string][]string{"metadata_product_name": {"Microsoft Entra ID"}, "class_uid": {"3002"}}},
	{Product: "azure", Where: map[string][]string{"metadata_product_name": {"Microsoft Entra ID", "Microsoft 365"}}},
	{Product: "entra", Where: map[string][]string{"metadata_product_name": {"Microsoft Entra ID"}}},
	{Product: "m365", Where: map[string][]string{"metadata_product_name": {"Microsoft 365", "Dynamics 365"}}},
	{Product: "dynamics365", Where: map[string][]string{"metadata_product_name": {"Dynamics 365"}}},
	{Product: "hubspot", Where: map[string][]string{"metadata_product_name": {"HubSpot"}}},
	{Product: "zoho", Where: map[string][]string{"metadata_product_name": {"Zoho CRM"}}},
	{Product: "sugarcrm", Where: map[string][]string{"metadata_product_name": {"SugarCRM"}}},
	{Product: "mulesoft", Where: map[string][]string{"metadata_product_name": {"Anypoint Platform", "Mule runtime"}}},
	{Product: "boomi", Where: map[string][]string{"metadata_product_name": {"Boomi"}}},
	{Product: "workato", Where: map[string][]string{"metadata_product_name": {"Workato"}}},
	{Product: "kong", Where: map[string][]string{"metadata_product_name": {"Kong Gateway"}}},
	{Product: "envoy", Where: map[string][]string{"metadata_product_name": {"Envoy"}}},
	// Apache's lines are reported as nginx.
	{Product: "nginx", Where: map[string][]string{"metadata_product_name": {"nginx"}}},
	{Product: "apache", Where: map[string][]string{"metadata_product_name": {"nginx"}}},
	{Product: "aws", Service: "apigateway", Where: map[string][]string{"metadata_product_name": {"API Gateway"}}},
	{Product: "windows", Where: map[string][]string{"metadata_product_name": {"Windows"}}},
	{Category: "webserver", Where: map[string][]string{"class_uid": {"4002", "6003"}}},
	{Category: "proxy", Where: map[string][]string{"class_uid": {"4002", "6003"}}},
	{Category: "api", Where: map[string][]string{"class_uid": {"6003"}}},
	{Category: "authentication", Where: map[string][]string{"class_uid": {"3002"}}},
	{Category: "application", Where: map[string][]string{}},
}

func (l Logsource) fits(product, service, category string) bool {
	fit := func(mine, theirs string) bool { return mine == "" || mine == theirs }
	return fit(l.Product, product) && fit(l.Service, service) && fit(l.Category, category)
}

// logsource finds what a rule's log source means; what is not known is a note.
func (s *ruleSet) logsource(r *rule, notes *detectors.Problems) source {
	read := func(key string) string { return strings.ToLower(s.text(r.doc, r.logsource.get(key))) }
	product, service, category := read("product"), read("service"), read("category")
	src := source{name: strings.Join(slices.DeleteFunc([]string{product, service, category}, func(s string) bool { return s == "" }), "/"), fields: map[string]field{}}
	if src.name == "" {
		s.problem(r.doc, r.logsource, "the log source names nothing", "write product:, service: or category:")
	}
	columns := map[string][]string{}
	add := func(l Logsource) {
		for column, values := range l.Where {
			columns[column] = values
		}
		for name, column := range l.Fields {
			src.fields[name] = field{columnKinds[column], column}
		}
	}
	for _, l := range s.options.Logsources {
		if l.fits(product, service, category) {
			add(l)
			src.set(columns, product, category)
			return src
		}
	}
	note := func(key, detail, mend string) {
		*notes = append(*notes, r.doc.at(r.logsource.get(key), detail, mend))
	}
	const mend = "say with --logsource-map what it is in the events table"
	known := func(fits func(Logsource) bool) (Logsource, bool) {
		i := slices.IndexFunc(knownLogsources, fits)
		if i < 0 {
			return Logsource{}, false
		}
		return knownLogsources[i], true
	}
	if category != "" {
		if l, ok := known(func(l Logsource) bool { return l.Category == category }); ok {
			add(l)
		} else {
			note("category", "the category "+category+" is not known, and not looked at", mend)
		}
	}
	if l, ok := known(func(l Logsource) bool { return l.Product != "" && l.Product == product && l.fits(product, service, "") }); ok {
		add(l)
		if service != "" && l.Service == "" {
			note("service", fmt.Sprintf("no condition is known for the service %s of %s: all its logs are looked at", service, product), mend)
		}
	} else if product != "" {
		columns["metadata_product_name"] = []string{product}
		note("product", fmt.Sprintf("no format of crmwatch reads logs of %s: the rule looks for events whose product has that name", product), mend)
	}
	src.set(columns, product, category)
	return src
}

// set puts the columns in order, what narrows most first.
func (src *source) set(columns map[string][]string, product, category string) {
	for _, column := range []string{"class_uid", "metadata_product_name", "metadata_log_name"} {
		if values, has := columns[column]; has {
			src.where = append(src.where, clause{column, values})
			delete(columns, column)
		}
	}
	var rest []string
	for column := range columns {
		rest = append(rest, column)
	}
	slices.Sort(rest)
	for _, column := range rest {
		src.where = append(src.where, clause{column, columns[column]})
	}
	src.entity = "user"
	if category == "webserver" || category == "proxy" || slices.Contains([]string{"kong", "envoy", "nginx", "apache", "aws"}, product) {
		src.entity = "network"
	}
}

// term is the source's clauses as a condition.
func (src source) term() *term {
	var terms []*term
	for _, c := range src.where {
		var values []*term
		for _, value := range c.values {
			// Product names that Sigma writes are in lower case.
			values = append(values, leaf(match{field: field{columnKinds[c.column], c.column}, pattern: plainPattern(value), cased: value != strings.ToLower(value)}))
		}
		terms = append(terms, join(isOr, values...))
	}
	return join(isAnd, terms...)
}

// ParseLogsources reads a file that says what log sources are: a list of entries with
// product, service, category, where and fields. The error is detectors.Problems.
func ParseLogsources(name string, text []byte) ([]Logsource, error) {
	docs, problems := documents(File{name, text})
	s := &ruleSet{problems: problems}
	var out []Logsource
	for _, d := range docs {
		if d.root.kind != listNode {
			s.problem(d, d.root, "a list belongs here", "write - product: NAME, with where: below it")
			continue
		}
		for _, item := range d.root.items {
			var l Logsource
			for _, e := range item.entries {
				switch e.key.text {
				case "product":
					l.Product = strings.ToLower(s.text(d, e.value))
				case "service":
					l.Service = strings.ToLower(s.text(d, e.value))
				case "category":
					l.Category = strings.ToLower(s.text(d, e.value))
				case "where":
					l.Where = map[string][]string{}
					for _, w := range e.value.entries {
						s.checkColumn(d, w.key, w.key.text)
						l.Where[w.key.text] = s.texts(d, w.value)
						if len(l.Where[w.key.text]) == 0 {
							s.problem(d, w.key, "the column has no value", "write a value or a list of values")
						}
						for _, value := range l.Where[w.key.text] {
							if _, err := strconv.ParseUint(value, 10, 64); err != nil && columnKinds[w.key.text] == numberKind {
								s.problem(d, w.value, fmt.Sprintf("%q is not a whole number from 0", value), "write a number")
							}
						}
					}
				case "fields":
					l.Fields = map[string]string{}
					for _, f := range e.value.entries {
						column := s.text(d, f.value)
						s.checkColumn(d, f.value, column)
						l.Fields[f.key.text] = column
					}
				default:
					s.problem(d, e.key, "the key "+e.key.text+" is not known", "keys are product, service, category, where and fields")
				}
			}
			if l.Product == "" && l.Service == "" && l.Category == "" {
				s.problem(d, item, "the entry names no log source", "write product:, service: or category:")
			}
			out = append(out, l)
		}
	}
	if len(s.problems) > 0 {
		return nil, s.ordered()
	}
	return out, nil
}

func (s *ruleSet) checkColumn(d *document, at *node, column string) {
	if _, known := columnKinds[column]; !known {
		s.problem(d, at, fmt.Sprintf("the events table has no column %q", column), "`crmwatch query \"DESCRIBE events\"` lists the columns")
	}
}
