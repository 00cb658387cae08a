package alerting

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/schema"
)

// AlertFilter chooses alerts; what is left zero does not restrict.
type AlertFilter struct {
	// UID is an alert's uid or the beginning of one.
	UID    string
	Status schema.AlertStatus
	// Active leaves out what is closed.
	Active      bool
	MinSeverity schema.Severity
	// Entity is a part of the entity's name or its whole uid.
	Entity string
	// Since leaves out alerts whose last event is older.
	Since time.Time
	// Merged brings also the alerts that are part of another one by now.
	Merged bool
	// Limit is how many alerts are returned at most; 0 means 1,000.
	Limit int
}

const defaultLimit = 1000

// Alerts reads alerts with their findings: most severe first, then the latest.
func Alerts(ctx context.Context, store schema.Store, filter AlertFilter) ([]schema.Alert, error) {
	if filter.Limit <= 0 {
		filter.Limit = defaultLimit
	}
	saved, err := readAlerts(ctx, store, `startsWith(toString(alert_uid), {uid:String})
		AND ({status:String} = '' OR status = {status:String}) AND (NOT {active:Bool} OR status IN ('open', 'acknowledged', 'snoozed')) AND ({merged:Bool} OR status != 'merged')
		AND severity_id >= {severity:UInt8} AND toUnixTimestamp64Milli(last_seen) >= {since:Int64}
		AND ({entity:String} = '' OR entity_uid = {entity:String} OR positionCaseInsensitiveUTF8(entity, {entity:String}) > 0)
		ORDER BY severity_id DESC, last_seen DESC, alert_uid LIMIT {limit:UInt32}`,
		schema.Named("uid", filter.UID), schema.Named("status", string(filter.Status)), schema.Named("active", filter.Active),
		schema.Named("merged", filter.Merged || filter.Status == schema.AlertMerged), schema.Named("severity", uint8(filter.MinSeverity)),
		schema.Named("since", storedTime(filter.Since).UnixMilli()), schema.Named("entity", filter.Entity), schema.Named("limit", uint32(min(filter.Limit, math.MaxInt32))))
	if err != nil {
		return nil, err
	}
	return withFindings(ctx, store, saved)
}

// savedAlert is an alert as the database has it, with the hash of its content.
type savedAlert struct {
	schema.Alert
	hash uint64
}

const alertColumns = `toString(alert_uid), version, updated_at, status, toString(merged_into), severity_id, title, metadata_tenant_uid,
	entity_type, entity_uid, entity, first_seen, last_seen, seen_after_s, arrayMap(u -> toString(u), finding_uids), attack, content_hash,
	status_by, status_at, status_note, snoozed_until, status_before, joined_at, toString(request_uid),
	told_peaks, risen_at, risen`

// readAlerts reads alerts without their findings; condition is a constant.
func readAlerts(ctx context.Context, store schema.Store, condition string, parameters ...any) ([]savedAlert, error) {
	rows, err := store.Query(ctx, "SELECT "+alertColumns+" FROM alerts FINAL WHERE "+condition, parameters...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rows.Close()
	var alerts []savedAlert
	for rows.Next() {
		var (
			a                       savedAlert
			uid, merged, request    string
			status, statusBefore    string
			severity                uint8
			findings                []string
			secondsAfter            uint32
			updated                 time.Time
			firstS, lastS           time.Time
			statusAt, until, joined time.Time
			risen                   time.Time
			peaks                   []float64
		)
		if err := rows.Scan(&uid, &a.Version, &updated, &status, &merged, &severity, &a.Title, &a.TenantUID,
			&a.EntityType, &a.EntityUID, &a.Entity, &firstS, &lastS, &secondsAfter, &findings, &a.Attack, &a.hash,
			&a.StatusBy, &statusAt, &a.StatusNote, &until, &statusBefore, &joined, &request,
			&peaks, &risen, &a.Risen); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		a.Status, a.StatusBefore, a.Severity = schema.AlertStatus(status), schema.AlertStatus(statusBefore), schema.Severity(severity)
		a.StatusAt, a.SnoozedUntil, a.JoinedAt = loadedTime(statusAt), loadedTime(until), loadedTime(joined)
		a.RisenAt = loadedTime(risen)
		if a.Request, err = schema.ParseUID(request); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		a.UpdatedAt, a.FirstSeen, a.LastSeen = loadedTime(updated), loadedTime(firstS), loadedTime(lastS)
		a.SeenAfter = time.Duration(secondsAfter) * time.Second
		if a.UID, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		if a.MergedInto, err = schema.ParseUID(merged); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		if a.FindingUIDs, err = parseUIDs(findings); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		a.Peaks = readPeaks(a.FindingUIDs, peaks)
		alerts = append(alerts, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return alerts, nil
}

// saveAlerts writes new versions of alerts.
func saveAlerts(ctx context.Context, store schema.Store, alerts []savedAlert) error {
	if len(alerts) == 0 {
		return nil
	}
	batch, err := store.PrepareBatch(durable(ctx), `INSERT INTO alerts (alert_uid, version, updated_at, status, merged_into, severity_id, title,
		metadata_tenant_uid, entity_type, entity_uid, entity, first_seen, last_seen, seen_after_s, finding_uids, attack, content_hash,
		status_by, status_at, status_note, snoozed_until, status_before, joined_at, request_uid,
		told_peaks, risen_at, risen)`)
	if err != nil {
		return fmt.Errorf("save alerts: %w", err)
	}
	for _, a := range alerts {
		seconds := uint32(min(max(a.SeenAfter/time.Second, 0), math.MaxUint32))
		if err := batch.Append(a.UID.String(), a.Version, storedTime(a.UpdatedAt), string(a.Status), a.MergedInto.String(), uint8(a.Severity), a.Title,
			a.TenantUID, a.EntityType, a.EntityUID, a.Entity, storedTime(a.FirstSeen), storedTime(a.LastSeen), seconds,
			writeUIDs(a.FindingUIDs), a.Attack, a.hash,
			a.StatusBy, storedTime(a.StatusAt), a.StatusNote, storedTime(a.SnoozedUntil), string(a.StatusBefore), storedTime(a.JoinedAt), a.Request.String(),
			writePeaks(a.FindingUIDs, a.Peaks), storedTime(a.RisenAt), a.Risen); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("save alert %s: %w", a.UID, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save alerts: %w", err)
	}
	return nil
}

// durable makes an insert return only when its rows are stored: a server may be
// set to collect inserts in memory first.
func durable(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
}

// storedTime is t as a DateTime64(3) column can hold it: the zero time is 1970,
// and what lies outside of the years that ClickHouse knows is moved to their edge.
func storedTime(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return time.UnixMilli(0).UTC()
	case t.Before(firstTime):
		return firstTime
	case t.After(lastTime):
		return lastTime
	}
	return t.UTC().Truncate(time.Millisecond)
}

var (
	firstTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

func loadedTime(t time.Time) time.Time {
	if t.UnixMilli() == 0 {
		return time.Time{}
	}
	return t.UTC()
}

func parseUIDs(texts []string) ([]schema.UID, error) {
	uids := make([]schema.UID, len(texts))
	for i, text := range texts {
		uid, err := schema.ParseUID(text)
		if err != nil {
			return nil, err
		}
		uids[i] = uid
	}
	return uids, nil
}

func writeUIDs(uids []schema.UID) []string {
	texts := make([]string, len(uids))
	for i, uid := range uids {
		texts[i] = uid.String()
	}
	return texts
}

// uidChunk keeps a list of uids in a query parameter, which travels in the URL, short.
const uidChunk = 400

// alertsByUID reads alerts with their findings.
func alertsByUID(ctx context.Context, store schema.Store, uids []schema.UID) ([]schema.Alert, error) {
	var alerts []schema.Alert
	for chunk := range slices.Chunk(uids, uidChunk) {
		saved, err := readAlerts(ctx, store, "alert_uid IN {uids:Array(UUID)}", schema.Named("uids", writeUIDs(chunk)))
		if err != nil {
			return nil, err
		}
		full, err := withFindings(ctx, store, saved)
		if err != nil {
			return nil, err
		}
		alerts = append(alerts, full...)
	}
	return alerts, nil
}
