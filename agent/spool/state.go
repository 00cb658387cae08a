package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"time"
)

const (
	stateFile    = "state"
	stateVersion = 1
	maxState     = 16 << 20
	// saveEvery is how often the state is written while batches are acknowledged.
	saveEvery = time.Second
)

// savedState is what the spool knows beside its segments. Losing it costs sending
// again what was acknowledged, and no more.
type savedState struct {
	Version  int    `json:"version"`
	AgentUID string `json:"agent_uid"`
	// Next is a sequence number that was not given yet when this was written.
	Next           uint64   `json:"next"`
	Acked          uint64   `json:"acked"`
	Above          []uint64 `json:"acked_above,omitempty"`
	Holes          []hole   `json:"holes,omitempty"`
	DroppedBatches uint64   `json:"dropped_batches,omitempty"`
	DroppedRows    uint64   `json:"dropped_rows,omitempty"`
}

// save makes the state durable. It is called with the lock held.
func (s *Spool) save() error {
	state := savedState{
		Version: stateVersion, AgentUID: s.agentUID, Next: s.next, Acked: s.acked,
		Above: slices.Sorted(maps.Keys(s.above)), Holes: s.holes,
		DroppedBatches: s.stats.DroppedBatches, DroppedRows: s.stats.DroppedRows,
	}
	if reflect.DeepEqual(state, s.saved) {
		return nil
	}
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("write spool state: %w", err)
	}
	temporary := stateFile + extTemporary
	if err := s.FS.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write spool state: %w", err)
	}
	f, err := s.FS.Create(temporary)
	if err != nil {
		return fmt.Errorf("write spool state: %w", err)
	}
	err = writeAll(f, data, 0)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = s.FS.Rename(temporary, stateFile)
	}
	if err == nil {
		err = s.FS.SyncFolder()
	}
	if err != nil {
		return fmt.Errorf("write spool state: %w", err)
	}
	state.Holes = slices.Clone(state.Holes)
	s.saved, s.sinceSave, s.savedAt = state, 0, s.Now()
	return nil
}

// readState reads the state; a damaged one is set aside, and there is none then.
func (s *Spool) readState() (state savedState, ok bool, err error) {
	f, err := s.FS.Open(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return savedState{}, false, nil
	}
	if err != nil {
		return savedState{}, false, fmt.Errorf("read spool state: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return savedState{}, false, fmt.Errorf("read spool state: %w", err)
	}
	data := make([]byte, min(size, maxState))
	if err := readFull(f, data, 0); err != nil {
		return savedState{}, false, fmt.Errorf("read spool state: %w", err)
	}
	if json.Unmarshal(data, &state) != nil || state.Version < 1 || len(state.AgentUID) != agentUIDLength || state.Acked >= max(1, state.Next) {
		if err := s.FS.Rename(stateFile, stateFile+extDamaged); err != nil {
			return savedState{}, false, fmt.Errorf("set damaged spool state aside: %w", err)
		}
		s.Log.Error("the state of the spool is damaged and set aside; what is left in the spool is sent again, and stored once", "kept_as", stateFile+extDamaged)
		return savedState{}, false, nil
	}
	if state.Version > stateVersion {
		return savedState{}, false, &NewerFormatError{stateFile, state.Version}
	}
	return state, true, nil
}
