/** What an exit code means to a script that calls us. Documented in the README; never renumbered. */
export const EXIT = {
  done: 0,
  error: 1,
  gateFailed: 3,
  blocked: 4,
  rolledBack: 5,
  leaseHeld: 6,
  inconclusive: 7,
  usage: 64,
  interrupted: 130,
} as const;
