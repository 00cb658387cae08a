package schema

import "testing"

func TestEventMarshalJSON(t *testing.T) {
	var e Event
	e.Time = 1772439301204
	e.UID = HashUID("x")
	e.Text[ActorUserName] = "svc-sync@acme.example"
	e.Text[QueryString] = "SELECT Id FROM \"Contact\"\nWHERE a < 'é'"
	e.Number[ClassUID] = ClassAuthentication
	e.AddUnmapped("CPU", "<31>")
	e.AddUnmapped("EMPTY", "")
	got, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-03-02T08:15:01.204Z","event_uid":"` + e.UID.String() + `",` +
		`"actor_user_name":"svc-sync@acme.example","query_info_query_string":"SELECT Id FROM \"Contact\"\nWHERE a < 'é'",` +
		`"class_uid":3002,"unmapped":{"CPU":"<31>"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
