package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// maxListed bounds lists of addresses and types.
const maxListed = 50

// touched asks what the entity did in the alert's time, by the events that are stored:
// those that name it, and those that findings name as evidence.
func (r *Record) touched(ctx context.Context, store schema.Store, a schema.Alert) error {
	var evidence []string
	for _, f := range a.Findings {
		for _, uid := range f.Evidence {
			evidence = append(evidence, uid.String())
		}
	}
	// Several logs tell of the same read, so the one that counts most is taken; and what a
	// bulk job has read is told again and again until it is done, each time as a whole.
	rows, err := store.Query(ctx, `SELECT kind, sum(events), max(records), max(named), max(bytes), arraySlice(arraySort(groupUniqArrayArray(addresses)), 1, 50), arraySort(groupUniqArrayArray(products))
		FROM
		(
			SELECT kind, log, sum(events) AS events, sum(if(subject = '', summed, largest)) AS records, uniqExactIf(subject, subject != '' AND NOT job) AS named, sum(bytes) AS bytes,
				groupUniqArrayArray(50)(from_addresses) AS addresses, groupUniqArrayArray(from_products) AS products
			FROM
			(
				SELECT if(resources_type IN ('', 'sobject', 'job', 'object', 'entity', 'table', 'record', 'module') AND resources_name != '', resources_name, resources_type) AS kind,
					metadata_log_name AS log, resources_uid AS subject, resources_type = 'job' OR startsWith(resources_uid, '750') AS job, count() AS events,
					sum(x_rows_processed) AS summed, max(x_rows_processed) AS largest, sum(traffic_bytes_in) + sum(traffic_bytes_out) AS bytes,
					groupUniqArray(50)(toString(src_endpoint_ip)) AS from_addresses, groupUniqArray(50)(toString(metadata_product_name)) AS from_products
				FROM events FINAL
				WHERE metadata_tenant_uid = {tenant:String} AND toUnixTimestamp64Milli(time) >= {from:Int64} AND toUnixTimestamp64Milli(time) <= {to:Int64} AND metadata_product_name != 'crmwatch'
					AND (event_uid IN {evidence:Array(UUID)} OR {entity:String} != '' AND has([actor_user_uid, actor_user_name, actor_user_email_addr, actor_app_uid, actor_app_name,
						x_actor_client_name, src_endpoint_ip, session_credential_uid, user_uid, user_name], {entity:String}))
				GROUP BY kind, log, subject, job
			)
			GROUP BY kind, log
		)
		GROUP BY kind ORDER BY max(records) DESC, sum(events) DESC, kind`,
		schema.Named("tenant", a.TenantUID), schema.Named("from", a.FirstSeen.UnixMilli()), schema.Named("to", a.LastSeen.UnixMilli()), schema.Named("evidence", evidence), schema.Named("entity", a.EntityUID))
	if err != nil {
		return fmt.Errorf("ask what was touched: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d DataType
		var bytes uint64
		var addresses, products []string
		if err := rows.Scan(&d.Type, &d.Events, &d.Records, &d.Named, &bytes, &addresses, &products); err != nil {
			return fmt.Errorf("ask what was touched: %w", err)
		}
		r.Nature.Events += d.Events
		r.Nature.Records += d.Records
		r.Nature.Bytes += bytes
		r.Nature.Addresses = merge(r.Nature.Addresses, addresses)
		r.Nature.Products = merge(r.Nature.Products, products)
		if d.Type == "" {
			continue
		}
		var people bool
		if d.Category, people = categoryOf(d.Type); people {
			r.Nature.PersonRecords += max(d.Records, d.Named)
			r.Nature.Subjects += d.Named
		}
		if len(r.Nature.Data) < maxListed {
			r.Nature.Data = append(r.Nature.Data, d)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("ask what was touched: %w", err)
	}
	r.Nature.Gone = r.Nature.Events == 0 && len(evidence) > 0
	return nil
}

func merge(list, more []string) []string {
	for _, m := range more {
		if m != "" && !slices.Contains(list, m) && len(list) < maxListed {
			list = append(list, m)
		}
	}
	slices.Sort(list)
	return list
}

// categories say what the standard record types of CRM systems hold, for the words of
// Article 33: each is a beginning of a type's name in lower case.
var categories = []struct {
	prefix, category string
	people           bool
}{
	{"contact", "contact details of people", true},
	{"lead", "contact details of prospects", true},
	{"personaccount", "contact details of customers", true},
	{"individual", "people and their consents", true},
	{"user", "accounts of staff", true},
	{"case", "enquiries and complaints, with what people wrote", true},
	{"emailmessage", "e-mail messages", true},
	{"task", "notes on calls and meetings", true},
	{"event", "notes on calls and meetings", true},
	{"campaignmember", "who was sent which campaign", true},
	{"loginhistory", "logins of staff", true},
	{"account", "companies, which may be people", true},
	{"customer", "customers", true},
	{"opportunit", "sales, with the people in them", false},
	{"deal", "sales, with the people in them", false},
	{"order", "orders", false},
	{"quote", "offers", false},
	{"invoice", "invoices", false},
	{"contentversion", "files, which may hold anything", false},
	{"document", "files, which may hold anything", false},
	{"attachment", "files, which may hold anything", false},
	{"report", "reports, which may list people", false},
}

// categoryOf is what a type of record holds as far as its name tells; people says that
// each record is about one.
func categoryOf(kind string) (category string, people bool) {
	kind = strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(kind, "sobject:"), "dbo."))
	for _, c := range categories {
		if strings.HasPrefix(kind, c.prefix) {
			return c.category, c.people
		}
	}
	return "not known from its name", false
}
