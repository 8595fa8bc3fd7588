import type { Command } from '../command.ts';

/**
 * Every command, in the order of the help. Each is loaded only when it is named, so that starting the server does not
 * load the delivery half, and the other way round.
 */
export const commands = {
  demo: async (): Promise<Command> => (await import('./demo.ts')).command,
  init: async (): Promise<Command> => (await import('./init.ts')).command,
  validate: async (): Promise<Command> => (await import('./validate.ts')).command,
  train: async (): Promise<Command> => (await import('./train.ts')).command,
  approve: async (): Promise<Command> => (await import('./approve.ts')).command,
  reject: async (): Promise<Command> => (await import('./reject.ts')).command,
  apply: async (): Promise<Command> => (await import('./apply.ts')).command,
  status: async (): Promise<Command> => (await import('./status.ts')).command,
  invoke: async (): Promise<Command> => (await import('./invoke.ts')).command,
  rollback: async (): Promise<Command> => (await import('./rollback.ts')).command,
  up: async (): Promise<Command> => (await import('./up.ts')).command,
  exec: async (): Promise<Command> => (await import('./exec.ts')).command,
  env: async (): Promise<Command> => (await import('./env.ts')).command,
  clock: async (): Promise<Command> => (await import('./clock.ts')).command,
} as const;

export type CommandName = keyof typeof commands;
