package formats

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// restAPIFile is a RestApi file of 45 quoted columns and about 640 bytes a row,
// the shape on which the speed of the product is judged: 40 integrations and
// users, 200 addresses, a query in every third row.
func restAPIFile(rows int) []byte {
	header := strings.Split("EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,SESSION_KEY,LOGIN_KEY,"+
		"USER_TYPE,REQUEST_STATUS,DB_TOTAL_TIME,METHOD,MEDIA_TYPE,STATUS_CODE,USER_AGENT,ROWS_PROCESSED,NUMBER_FIELDS,"+
		"DB_BLOCKS,DB_CPU_TIME,REQUEST_SIZE,RESPONSE_SIZE,ENTITY_NAME,CONNECTED_APP_ID,CLIENT_NAME,EXCEPTION_MESSAGE,QUERY,"+
		"API_VERSION,API_CLIENT_CATEGORY,BOT_ID,BOT_SESSION_ID,PLANNER_ID,CLIENT_GEO,INSTANCE,POD,RELEASE,TRACE_ID,"+
		"TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED,CONNECTED_APP_NAME,USER_NAME,FORWARDED_FOR_IP", ",")
	random := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	row := func(fields []string) {
		for i, field := range fields {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteByte('"')
			out.WriteString(strings.ReplaceAll(field, `"`, `""`))
			out.WriteByte('"')
		}
		out.WriteByte('\n')
	}
	row(header)
	objects := []string{"Account", "Contact", "Opportunity", "Case", "Lead", "Order__c", "Invoice__c"}
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		when := start.Add(time.Duration(i) * 37 * time.Millisecond)
		user := random.IntN(40)
		id := fmt.Sprintf("0057x00000%05d", 12345+user)
		object := objects[random.IntN(len(objects))]
		uri, query := fmt.Sprintf("/services/data/v62.0/sobjects/%s/0017x0000%06dAAK", object, random.IntN(1_000_000)), ""
		if i%3 == 0 {
			uri, query = "/services/data/v62.0/query/01g7x000000AbCdAAK-2000", fmt.Sprintf("SELECT Id, Name, Email FROM %s WHERE LastModifiedDate > 2026-03-%02dT00:00:00Z AND IsDeleted = false AND OwnerId IN (SELECT Id FROM User WHERE IsActive = true) ORDER BY Id LIMIT 2000", object, 1+random.IntN(28))
		}
		row([]string{
			"RestApi", when.Format("20060102150405.000"), fmt.Sprintf("5aQp7Yx1TT%010dJH4-", i), "00D7x0000004Abc", id,
			fmt.Sprint(random.IntN(900)), fmt.Sprint(random.IntN(400)), uri, fmt.Sprintf("kL0pQ9/Rs2tUv%03d", user*7), fmt.Sprintf("pQ2m8LrT0vXy%04d", user),
			"Standard", "S", fmt.Sprint(random.IntN(900_000_000)), "GET", "application/json", "200", "9999", fmt.Sprint(random.IntN(2000)), "14",
			fmt.Sprint(random.IntN(6000)), fmt.Sprint(random.IntN(300)), "0", fmt.Sprint(random.IntN(2_000_000)), object, fmt.Sprintf("0H47x0000004C%02d", user), "", "", query,
			"62.0", "REST", "", "", "", "", "EU42", "pod-7", "262", fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64()),
			when.Format("2006-01-02T15:04:05.000Z"), id + "AAK", fmt.Sprintf("198.51.100.%d", random.IntN(200)), "", fmt.Sprintf("Acme Sync %d", user), fmt.Sprintf("svc-%d@acme.example", user), "",
		})
	}
	return out.Bytes()
}

const benchRows = 100_000

type discard struct{ events, rejections int }

func (d *discard) Event(*schema.Event) { d.events++ }
func (d *discard) Reject(Rejection)    { d.rejections++ }

// cpuSeconds is the processor time that this process has used. Wall-clock time
// says little on a machine that others use too.
func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// perMillion reports processor seconds per million rows since began.
func perMillion(b *testing.B, began float64) {
	b.ReportMetric((cpuSeconds()-began)/float64(b.N)/benchRows*1e6, "cpu-s/Mrow")
}

func BenchmarkSplit(b *testing.B) {
	file := restAPIFile(benchRows)
	b.SetBytes(int64(len(file)))
	var s csvSplitter
	began := cpuSeconds()
	for b.Loop() {
		for rest := file; len(rest) > 0; {
			used, result := s.split(rest, true)
			if result != csvRecord || s.count != 45 {
				b.Fatal(result, s.count)
			}
			rest = rest[used:]
		}
	}
	perMillion(b, began)
}

// decodeBlocks gives a file to a decoder in blocks of a megabyte, as a reader of
// files does.
func decodeBlocks(d Decoder, file []byte, sink Sink) {
	for len(file) > 0 {
		n := min(len(file), 1<<20)
		file = file[d.Decode(file[:n], n == len(file), sink):]
	}
}

func BenchmarkDecode(b *testing.B) {
	file := restAPIFile(benchRows)
	b.SetBytes(int64(len(file)))
	began := cpuSeconds()
	for b.Loop() {
		var sink discard
		decoder := salesforceELF.New(Options{})
		decodeBlocks(decoder, file, &sink)
		if sink.events != benchRows {
			b.Fatal(sink)
		}
	}
	perMillion(b, began)
}

type intoBatch struct {
	*schema.Batch
	rejections int
}

func (i *intoBatch) Event(e *schema.Event) { i.Append(e) }
func (i *intoBatch) Reject(Rejection)      { i.rejections++ }

func BenchmarkDecodeAndAppend(b *testing.B) { benchmarkBatch(b, false) }

func BenchmarkDecodeAppendAndEncode(b *testing.B) { benchmarkBatch(b, true) }

func benchmarkBatch(b *testing.B, encode bool) {
	file := restAPIFile(benchRows)
	b.SetBytes(int64(len(file)))
	sink := intoBatch{Batch: schema.NewBatch()}
	var block []byte
	decodeBlocks(salesforceELF.New(Options{}), file, &sink) // batches keep their memory
	began := cpuSeconds()
	for b.Loop() {
		sink.Reset()
		decodeBlocks(salesforceELF.New(Options{}), file, &sink)
		if sink.Rows() != benchRows {
			b.Fatal(sink.Rows())
		}
		if encode {
			var err error
			if block, err = sink.AppendBlock(block[:0]); err != nil {
				b.Fatal(err)
			}
		}
	}
	perMillion(b, began)
	b.ReportMetric(float64(len(block))/benchRows, "B/row")
}
