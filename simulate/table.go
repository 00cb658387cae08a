package simulate

import "strings"

// table is the header of one EventLogFile type.
type table struct {
	name    string
	columns []string
	at      map[string]int
}

// The parts that most headers share, in the order seen in exports.
const (
	headStart   = "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,"
	headRequest = headStart + "RUN_TIME,CPU_TIME,URI,SESSION_KEY,LOGIN_KEY,"
	headPage    = headRequest + "USER_TYPE,REQUEST_STATUS,DB_TOTAL_TIME,"
	tail        = ",TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED"
)

// Header orders of Login, ApiTotalUsage, RestApi, BulkApiRequest and
// MetadataApiOperation are those of real exports; the other types have their
// documented columns in the same pattern.
var (
	tableLogin = newTable("Login", headPage+
		"LOGIN_TYPE,BROWSER_TYPE,API_TYPE,API_VERSION,USER_NAME,TLS_PROTOCOL,CIPHER_SUITE,AUTHENTICATION_METHOD_REFERENCE,LOGIN_SUB_TYPE"+
		tail+",LOGIN_STATUS,SOURCE_IP")
	tableLogout = newTable("Logout", headStart+
		"USER_TYPE,SESSION_TYPE,SESSION_LEVEL,BROWSER_TYPE,PLATFORM_TYPE,RESOLUTION_TYPE,APP_TYPE,CLIENT_VERSION,API_TYPE,API_VERSION,"+
		"USER_INITIATED_LOGOUT,SESSION_KEY,LOGIN_KEY,TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP")
	tableLoginAs = newTable("LoginAs", headRequest+
		"DELEGATED_USER_ID,DELEGATED_USER_NAME"+tail+",DELEGATED_USER_ID_DERIVED")
	tableRestAPI = newTable("RestApi", headPage+
		"METHOD,MEDIA_TYPE,STATUS_CODE,USER_AGENT,ROWS_PROCESSED,NUMBER_FIELDS,DB_BLOCKS,DB_CPU_TIME,REQUEST_SIZE,RESPONSE_SIZE,"+
		"ENTITY_NAME,CONNECTED_APP_ID,CLIENT_NAME,EXCEPTION_MESSAGE,QUERY"+tail)
	tableAPI = newTable("API", headPage+
		"API_TYPE,API_VERSION,CLIENT_NAME,METHOD_NAME,ENTITY_NAME,ROWS_PROCESSED,REQUEST_SIZE,RESPONSE_SIZE,DB_BLOCKS,DB_CPU_TIME,"+
		"EXCEPTION_MESSAGE"+tail)
	tableBulkAPI2 = newTable("BulkApi2", headRequest+
		"JOB_ID,JOB_STATUS,OPERATION_TYPE,ENTITY_TYPE,RECORDS_PROCESSED,RECORDS_FAILED,RESULT_SIZE_MB"+tail)
	tableBulkAPIRequest = newTable("BulkApiRequest", headRequest+
		"REQUEST_PATH,API_VERSION,JOB_ID,BATCH_ID,OPERATION_TYPE,SUCCESS,ERROR_MESSAGE,CONNECTED_APP_ID,CLIENT_NAME,CONCURRENCY_MODE,"+
		"STATUS_CODE"+tail)
	tableTotalUsage = newTable("ApiTotalUsage", headStart+
		"API_FAMILY,API_VERSION,API_RESOURCE,CLIENT_NAME,HTTP_METHOD,CLIENT_IP,COUNTS_AGAINST_API_LIMIT,CONNECTED_APP_ID,ENTITY_NAME,"+
		"STATUS_CODE,CONNECTED_APP_NAME,USER_NAME,TIMESTAMP_DERIVED")
	tableMetadata = newTable("MetadataApiOperation", headRequest+
		"CLIENT_ID,OPERATION,API_VERSION"+tail)
	tableReport = newTable("Report", headPage+
		"REPORT_ID,ENTITY_NAME,DISPLAY_TYPE,RENDERING_TYPE,ROW_COUNT,NUMBER_COLUMNS,UI_NUMBER_COLUMNS,NUMBER_BUCKETS,"+
		"NUMBER_EXCEPTION_FILTERS,AVERAGE_ROW_SIZE,SORT,ORIGIN,DB_BLOCKS,DB_CPU_TIME"+tail+",REPORT_ID_DERIVED")
	tableReportExport = newTable("ReportExport", headRequest+
		"CLIENT_INFO,REPORT_DESCRIPTION"+tail)
	tableContentTransfer = newTable("ContentTransfer", headStart+
		"DOCUMENT_ID,VERSION_ID,SIZE_BYTES,FILE_TYPE,FILE_PREVIEW_TYPE,TRANSACTION_TYPE,TIMESTAMP_DERIVED,USER_ID_DERIVED,"+
		"DOCUMENT_ID_DERIVED,VERSION_ID_DERIVED")
	tableApexCallout = newTable("ApexCallout", headRequest+
		"TYPE,METHOD,SUCCESS,STATUS_CODE,TIME,REQUEST_SIZE,RESPONSE_SIZE,URL"+tail)
	tablePermissionUpdate = newTable("PermissionUpdate", headStart+
		"SESSION_KEY,LOGIN_KEY,CONTEXT,UPDATE_TYPE,PERMISSION_TYPE,FEATURE_ID,DESCRIPTION,TIMESTAMP_DERIVED")
	tableApexException = newTable("ApexUnexpectedException", headStart+
		"EXCEPTION_TYPE,EXCEPTION_MESSAGE,STACK_TRACE,EXCEPTION_CATEGORY,TIMESTAMP_DERIVED,USER_ID_DERIVED")
)

// tables lists all types in the order in which an hour's files are written.
var tables = []*table{
	tableLogin, tableLogout, tableLoginAs, tableRestAPI, tableAPI, tableBulkAPI2, tableBulkAPIRequest, tableTotalUsage,
	tableMetadata, tableReport, tableReportExport, tableContentTransfer, tableApexCallout, tablePermissionUpdate, tableApexException,
}

func newTable(name, columns string) *table {
	t := &table{name: name, columns: strings.Split(columns, ","), at: map[string]int{}}
	for i, c := range t.columns {
		t.at[c] = i
	}
	return t
}

// header is the first record of a file.
func (t *table) header() []byte {
	return append([]byte(`"`+strings.Join(t.columns, `","`)+`"`), '\n')
}

// appendRecord writes values in Salesforce's dialect: every field quoted, quotes
// doubled, newlines kept.
func appendRecord(to []byte, values []string) []byte {
	for i, v := range values {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(to, '"')
		for {
			quote := strings.IndexByte(v, '"')
			if quote < 0 {
				break
			}
			to = append(to, v[:quote]...)
			to = append(to, '"', '"')
			v = v[quote+1:]
		}
		to = append(to, v...)
		to = append(to, '"')
	}
	return append(to, '\n')
}
