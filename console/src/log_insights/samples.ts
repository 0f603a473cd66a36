import type { Key } from '../language/language.ts';

/** Queries to begin with, by what they answer. */
export const SAMPLES: readonly (readonly [Key, string])[] = [
  ['sampleNewest', 'fields @timestamp, @message\n| sort @timestamp desc\n| limit 100'],
  [
    'sampleErrors',
    'fields @timestamp, @requestId, @message\n| filter @message like /(?i)error/\n| sort @timestamp desc',
  ],
  [
    'sampleSlowest',
    'filter @type = "REPORT"\n| fields @timestamp, @requestId, @duration, @maxMemoryUsed / 1000 / 1000 as usedMB\n| sort @duration desc\n| limit 20',
  ],
  [
    'sampleDurations',
    'filter @type = "REPORT"\n| stats count(*) as invokes, avg(@duration) as mean, pct(@duration, 95) as p95, max(@duration) as slowest by bin(5m)',
  ],
  [
    'sampleColdStarts',
    'filter @type = "REPORT" and @initDuration > 0\n| stats count(*) as coldStarts, avg(@initDuration) as mean by @log',
  ],
];
