package subject_test

import (
	"context"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/compliance/subject"
)

func TestEraseTimes(t *testing.T) {
	store := filled(t, 20000)
	begun := time.Now()
	found, err := subject.Find(context.Background(), store, alice(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range found {
		t.Log(time.Since(begun), o.Table, o.Rows, o.Own, o.Where())
	}
	done, err := subject.Erase(context.Background(), store, subject.Erasing{Subject: alice(t), Actor: "bob", Reason: "request 1", Folder: t.TempDir(), Step: func(s string) { t.Log(time.Since(begun), s) }})
	t.Log(time.Since(begun), done, err)
	if err != nil {
		t.Fatal(err)
	}
}
