/** The steps of a run and of a release, in their order. */
export type StageName = 'data' | 'prepare' | 'train' | 'evaluate' | 'gate' | 'register';

/** What happens as it happens, for whoever shows it. Nothing in the delivery half prints. */
export type DeliveryEvent =
  /** First event of every command: where its requests go. */
  | { readonly type: 'target'; readonly env: string; readonly target: string }
  /** A stage of a model's run. `found`: an earlier run had done it; `attached`: it was already under way. */
  | {
      readonly type: 'stage';
      readonly model: string;
      readonly stage: StageName;
      readonly state: 'started' | 'attached' | 'found' | 'finished' | 'failed';
      /** The job's name or the object's URI. */
      readonly subject: string;
      /** How long the service says it took, on its clock. */
      readonly seconds?: number;
      readonly detail?: string;
    }
  /** A status that changed while waiting, as the service words it. */
  | { readonly type: 'status'; readonly subject: string; readonly status: string }
  /** Something was changed: a decision recorded, an object copied, an endpoint updated. */
  | { readonly type: 'change'; readonly subject: string; readonly detail: string; readonly model?: string }
  /** Something worth knowing that changes nothing. */
  | { readonly type: 'note'; readonly text: string; readonly model?: string };

export type OnEvent = (event: DeliveryEvent) => void;
