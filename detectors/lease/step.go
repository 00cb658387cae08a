package lease

import (
	"cmp"
	"context"
	"time"
)

// step does what is due now, and says when the next step is. An error means that the
// store did not answer; what this instance may do is then as its clock says.
func (l *Lease) step(ctx context.Context) (wait time.Duration, err error) {
	switch {
	case l.until.Load() != 0:
		return l.renew(ctx)
	case !l.stood.IsZero():
		return l.decide(ctx)
	}
	return l.stand(ctx)
}

// stand writes that this instance stands for leadership, where nobody leads or stands.
func (l *Lease) stand(ctx context.Context) (time.Duration, error) {
	began := l.now()
	v, err := l.read(ctx)
	if err != nil {
		return Poll, err
	}
	l.term = 1
	for _, c := range v.claims {
		l.term = max(l.term, c.term+1)
		switch {
		case c.leads(v.now):
			if l.seen != c.holder {
				l.seen = c.holder
				l.log.Info("another instance leads: this one waits", "leader", c.holder, "term", c.term)
			}
			return min(Poll, c.until.Sub(v.now)+time.Millisecond), nil
		case c.stands(v.now):
			return min(Poll, c.at.Add(candidacy).Sub(v.now)+time.Millisecond), nil
		}
	}
	l.seen = ""
	if err := l.write(ctx, candidate, 0); err != nil {
		return candidacy, err
	}
	l.stood = began
	return Settle, nil
}

// decide looks who else stands, and leads if this instance was the first.
func (l *Lease) decide(ctx context.Context) (time.Duration, error) {
	stood := l.stood
	l.stood = time.Time{}
	v, err := l.read(ctx)
	if err != nil {
		return candidacy, err
	}
	var own claim
	for _, c := range v.claims {
		if c.holder == l.holder && c.term == l.term && c.state == candidate {
			own = c
		}
	}
	if own.term == 0 {
		return Poll, nil // the row is gone, and so is what it would prove
	}
	for _, c := range v.claims {
		other := c.holder != l.holder
		if other && (c.leads(v.now) || c.term > l.term || c.term == l.term && c.state == candidate && c.before(own)) {
			return Poll, nil
		}
	}
	sent := l.now()
	if err := l.write(ctx, leader, Length); err != nil {
		return candidacy, err
	}
	// Another may stand as soon as the candidacy is over: by then it must see that this
	// one leads.
	if l.now().Sub(stood) > candidacy-WriteWithin {
		return Poll, l.write(ctx, leader, 0)
	}
	l.hold(sent)
	return Renew, nil
}

// renew says that this instance leads on, unless its time is over or another leads.
func (l *Lease) renew(ctx context.Context) (time.Duration, error) {
	lost := func(err error) (time.Duration, error) {
		l.until.Store(0)
		return Poll, err
	}
	left := l.began.Add(time.Duration(l.until.Load())).Sub(l.now())
	if left <= 0 {
		return lost(nil)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	sent := l.now()
	err := l.write(ctx, leader, Length)
	var v view
	if err == nil {
		v, err = l.read(ctx)
	}
	if err != nil {
		if l.Held() != nil {
			return lost(err)
		}
		return min(retry, left), err
	}
	if l.Held() != nil {
		// Too late to count: somebody may have seen the end before it was written.
		return lost(l.write(context.WithoutCancel(ctx), leader, 0))
	}
	for _, c := range v.claims {
		if c.holder != l.holder && c.state == leader && c.term > l.term {
			return lost(nil)
		}
	}
	l.hold(sent)
	return Renew, nil
}

// hold counts the lease from the moment before it was written, which is earlier than
// the server's.
func (l *Lease) hold(sent time.Time) {
	l.until.Store(int64(sent.Add(Length - Margin).Sub(l.began)))
}

// release lets others lead at once. What it cannot write, time does.
func (l *Lease) release(ctx context.Context) {
	if l.until.Swap(0) == 0 {
		return
	}
	if err := l.write(context.WithoutCancel(ctx), leader, 0); err != nil {
		l.log.Warn("others wait until the lease has ended", "error", err)
	}
}

// before orders candidates: the first to be written wins.
func (c claim) before(other claim) bool {
	return cmp.Or(c.since.Compare(other.since), cmp.Compare(c.holder, other.holder)) < 0
}
