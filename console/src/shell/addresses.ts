/** The console's own addresses, below the path it is served at. */

export const BASE = import.meta.env.BASE_URL.replace(/\/$/, '');

const segment = encodeURIComponent;

export const ADDRESSES = {
  functions: '/functions',
  create: '/create-function',
  function: (name: string, tab = 'code') => `/functions/${segment(name)}/${tab}`,
  version: (name: string, qualifier: string) => `/functions/${segment(name)}/code?qualifier=${segment(qualifier)}`,
  layers: '/layers',
  layer: (name: string) => `/layers/${segment(name)}`,
  logGroups: '/log-groups',
  logGroup: (name: string) => `/log-groups/${segment(name)}`,
  logsMatching: (name: string, pattern: string) => `/log-groups/${segment(name)}?pattern=${segment(pattern)}`,
  logInsights: '/log-insights',
  logInsightsOf: (name: string) => `/log-insights?group=${segment(name)}`,
  runtimes: '/runtimes',
  account: '/account',
} as const;
