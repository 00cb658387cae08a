package detectors

import (
	"testing"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// The logs of two days: what an administrator ended on the first is used on the second.
const (
	directoryLog = `[{"Id":"6c1","RecordType":8,"CreationTime":"2026-03-02T08:00:00","Operation":"Remove service principal credentials.","OrganizationId":"1111","ResultStatus":"Success","Workload":"AzureActiveDirectory","UserId":"admin@acme.example","UserKey":"10077","UserType":0,"ObjectId":"ServicePrincipal_b1c3","Target":[{"ID":"acme-crm-sync","Type":1}],"ModifiedProperties":[{"Name":"KeyDescription","OldValue":"[\"[KeyIdentifier=9f01,KeyType=Password,KeyUsage=Verify]\",\"[KeyIdentifier=9f02,KeyType=Password,KeyUsage=Verify]\"]","NewValue":"[\"[KeyIdentifier=9f02,KeyType=Password,KeyUsage=Verify]\"]"}]},
{"Id":"6c2","RecordType":8,"CreationTime":"2026-03-02T08:05:00","Operation":"Disable account.","OrganizationId":"1111","ResultStatus":"Success","Workload":"AzureActiveDirectory","UserId":"admin@acme.example","UserKey":"10077","UserType":0,"ObjectId":"ben@acme.example"},
{"Id":"6c3","RecordType":21,"CreationTime":"2026-03-03T09:00:00","Operation":"RetrieveMultiple","OrganizationId":"1111","UserType":0,"UserKey":"10032","UserId":"Ben@acme.example","Workload":"CRM","ResultStatus":"Succeeded","ClientIP":"192.0.2.50","Message":"RetrieveMultiple","EntityName":"contact"}]`
	signInLog = `{"category":"ServicePrincipalSignInLogs","tenantId":"1111","resultType":"0","callerIpAddress":"192.0.2.50","properties":{"id":"36c1","createdDateTime":"2026-03-03T09:00:00Z","appId":"cfce","servicePrincipalId":"b1c3","servicePrincipalName":"acme-crm-sync","servicePrincipalCredentialKeyId":"9f01","ipAddress":"192.0.2.50","status":{"errorCode":0}}}
{"category":"ServicePrincipalSignInLogs","tenantId":"1111","resultType":"0","callerIpAddress":"192.0.2.50","properties":{"id":"36c2","createdDateTime":"2026-03-03T09:10:00Z","appId":"cfcf","servicePrincipalId":"b1c4","servicePrincipalName":"acme-bi","servicePrincipalCredentialKeyId":"9f02","ipAddress":"192.0.2.50","status":{"errorCode":0}}}
`
	setupLog = `{"Id":"0Ym1","Action":"deletedConnectedApp","Section":"Connected Apps","CreatedDate":"2026-03-02T08:00:00.000+0000","CreatedById":"0057x000000AdMi","Display":"Deleted connected app Acme Sync","DelegateUser":null}
`
	usageLog = `"EVENT_TYPE","TIMESTAMP","REQUEST_ID","ORGANIZATION_ID","USER_ID","API_FAMILY","API_VERSION","API_RESOURCE","CLIENT_NAME","HTTP_METHOD","CLIENT_IP","COUNTS_AGAINST_API_LIMIT","CONNECTED_APP_ID","ENTITY_NAME","STATUS_CODE","CONNECTED_APP_NAME","USER_NAME","TIMESTAMP_DERIVED"
"ApiTotalUsage","20260303090000.000","r1","00D7x0000004Abc","0057x000001QwEr","REST","62.0","/v62.0/query","","GET","192.0.2.50","1","0H47x0000004CxY","Contact","200","Acme Sync","svc-sync@acme.example","2026-03-03T09:00:00.000Z"
`
)

// storeSink redacts events, as the agent does, and keeps them.
type storeSink struct {
	t        *testing.T
	redactor *redact.Redactor
	batch    *schema.Batch
}

func (s storeSink) Event(e *schema.Event) {
	s.redactor.Event(e)
	s.batch.Append(e)
}

func (s storeSink) Reject(r formats.Rejection) { s.t.Errorf("rejected: %s: %s", r.Reason, r.Detail) }

// From the bytes of the logs to the finding, through detection of the format, decoder and
// redaction: what ended in one log is recognised in another, though keys are hashed and
// one of the logs names no tenant.
func TestUseAfterRevokeFromLogs(t *testing.T) {
	sink := storeSink{t, redact.New([]byte("a key for this test")), schema.NewBatch()}
	for _, log := range []string{directoryLog, signInLog, setupLog, usageLog} {
		format, _, ok := formats.Detect([]byte(log))
		if !ok {
			t.Fatalf("no format for %s", log[:60])
		}
		format.New(formats.Options{}).Decode([]byte(log), true, sink)
	}
	store := openStore(t)
	if err := insertBatch(t.Context(), store, sink.batch); err != nil {
		t.Fatal(err)
	}
	findings, err := NewRunner(store, []Rule{oneRule(t, "use-after-revoke")}, Options{}).Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"acme-crm-sync": "removed or disabled credential", "Ben@acme.example": "deactivated identity", "svc-sync@acme.example": "removed app Acme Sync"}
	for _, f := range findings {
		if f.Attributes["ended_what"] != want[f.Entity] {
			t.Errorf("unexpected finding: %s: %s", f.Entity, f.Message)
		}
		delete(want, f.Entity)
	}
	for entity := range want {
		t.Errorf("%s was not found", entity)
	}
}
