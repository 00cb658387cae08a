package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/schema"
)

// amend accounts in the evidence chain for what an erasure changes. The law wants the
// erasure, whatever is the matter with the chain: what keeps the chain from accounting
// for it is told, and the erasure goes on.
func (s *subjectStore) amend(term terminal, reason string) func(context.Context, schema.UID, string, func(context.Context) error) error {
	return func(ctx context.Context, erasure schema.UID, by string, change func(context.Context) error) error {
		head, err := chain.Head(ctx, s.store)
		if err == nil && head.Sequence == 0 {
			return change(ctx) // there is nothing yet that it could contradict
		}
		cfg := s.config
		cfg.Data = s.dir
		key, keyErr := cfg.openEvidenceKey()
		if err = errors.Join(err, keyErr); err == nil {
			err = chain.NewLedger(s.store, key, chain.LedgerOptions{}).Amend(ctx, chain.Amendment{Erasure: erasure, By: by, Reason: reason}, change)
		}
		switch {
		case errors.Is(err, chain.ErrAmended):
			return change(ctx)
		case keyErr != nil, errors.Is(err, chain.ErrBroken), errors.Is(err, chain.ErrForeignKey):
			fmt.Fprintf(term.err, "crmwatch: the evidence chain does not account for this erasure, so report verify will name what it changes: %v\n", err)
			return change(ctx)
		}
		return err
	}
}
