/** What an application brings to `millrace dev` besides its consumers: sites, feeders, simulators. */
export interface DevCompanion extends AsyncDisposable {
  /** Lines of the banner; only what answers. */
  readonly addresses: readonly { readonly label: string; readonly url: string }[]
  progress(): DevProgress
  /** Text of several lines, shown under the progress bar and drawn again a few times a second. */
  live(): string
  /** Settles when all the work is done, for `--once`. */
  readonly finished: Promise<void>
  /** The final tables: text for people, and the same facts as a document for `--json`. */
  report(): Promise<{ readonly text: string; readonly document: unknown }>
}

export interface DevProgress {
  readonly label: string
  readonly done: number
  readonly total: number
}

export interface DevContext {
  readonly brokers: readonly string[]
  readonly drainUrl: string
  /** Exists and is kept between runs. */
  readonly dataFolder: string
  /** The application's folder. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The `dev` section of a configuration. */
export interface DevSection {
  /** Commands that run beside the worker, such as `node --watch server.ts`; `KAFKA_URL` in their environment is the broker's. */
  readonly run?: readonly string[]
  readonly start?: (context: DevContext) => Promise<DevCompanion>
}
