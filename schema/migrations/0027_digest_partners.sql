-- By which products the calls of an identity were told of too (sort id): names, one a line,
-- and how many calls had just these. Which of the products are middleware is a setting of the
-- rule.
ALTER TABLE event_partners ADD COLUMN IF NOT EXISTS through Map(String, UInt64);
