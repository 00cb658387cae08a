package detectors

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Horizon says how long events of some classes are kept, all of them: of each tenant that
// it names, and of the others. No class is any class; 0 is for ever.
type Horizon func(classes []uint16) (tenants map[string]time.Duration, others time.Duration)

// A window whose events begin to go would say less than it did, though nothing happened
// but that time passed. So what is found there stays as it is, and what arrives there late
// is not looked at any more.

// horizon is what a rule may look at, at a moment.
type horizon struct {
	now     time.Time
	back    time.Duration
	tenants map[string]time.Duration
	others  time.Duration
}

// horizonOf asks for the classes that the rule reads.
func (r *Runner) horizonOf(rule Rule, now time.Time) *horizon {
	if r.options.Horizon == nil {
		return nil
	}
	tenants, others := r.options.Horizon(rule.Needs.Classes)
	h := &horizon{now: now, back: rule.Memory() + rule.overhang(), tenants: tenants, others: others}
	for tenant, keep := range tenants {
		if keep == others {
			delete(tenants, tenant)
		}
	}
	if others == 0 && len(tenants) == 0 {
		return nil
	}
	return h
}

// keep is how long events of a tenant are kept; 0 is for ever.
func (h *horizon) keep(tenant string) time.Duration {
	if keep, told := h.tenants[tenant]; told {
		return keep
	}
	return h.others
}

// since is the first event time that is looked at. The history before it is there too, up
// to what the rule looks back; where events are not kept so long, half of them are it.
func (h *horizon) since(keep time.Duration) time.Time {
	if keep == 0 {
		return time.Time{}
	}
	return h.now.Add(-max(keep-h.back, keep/2))
}

// passed says that a window of a tenant is not looked at any more.
func (h *horizon) passed(tenant string, from, to time.Time) bool {
	if h == nil {
		return false
	}
	keep := h.keep(tenant)
	return keep != 0 && (from.Before(h.now.Add(-keep)) || !to.After(h.since(keep)))
}

// condition is whether an event is looked at, in SQL, with parameters under names of their
// own.
func (h *horizon) condition(prefix string) (condition string, args []any) {
	if h == nil {
		return "", nil
	}
	milli := func(keep time.Duration) int64 {
		if keep == 0 {
			return 0
		}
		return h.since(keep).UnixMilli()
	}
	condition = "{" + prefix + "since:Int64}"
	args = []any{schema.Named(prefix+"since", milli(h.others))}
	if len(h.tenants) > 0 {
		names := slices.Sorted(maps.Keys(h.tenants))
		since := make([]int64, len(names))
		for i, name := range names {
			since[i] = milli(h.tenants[name])
		}
		condition = fmt.Sprintf("transform(toString(metadata_tenant_uid), {%[1]stenants:Array(String)}, {%[1]stenants_since:Array(Int64)}, %[2]s)", prefix, condition)
		args = append(args, schema.Named(prefix+"tenants", names), schema.Named(prefix+"tenants_since", since))
	}
	return "toUnixTimestamp64Milli(time) >= " + condition, args
}

// Memory is how far before an event a rule looks, or remembers.
func (r Rule) Memory() time.Duration {
	back := max(r.reach(), r.FirstSeen.WarmUp, r.FirstSeen.Forget, r.Sequence.Within)
	if r.Kind == KindSilence {
		back = max(back, r.Silence.LeastHistory+r.Silence.least())
	}
	return back
}
