import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Moment } from '../consumer/consumer-class.ts'
import type { HookName } from '../consumer/hooks.ts'
import type { Handler } from '../consumer/plan.ts'
import { reasonOf } from './describe.ts'
import type { JobContext } from './job-context.ts'
import type { Place } from './place.ts'

/** Calls the hooks of one partition. One that throws is reported and stops nothing. */
export class HookCaller {
  readonly #handler: Handler
  readonly #place: Place
  readonly #moment: () => { readonly context: JobContext; readonly moment: Moment }

  /** @param moment - a context without messages, made for each call */
  constructor(
    handler: Handler,
    place: Place,
    moment: () => { readonly context: JobContext; readonly moment: Moment },
  ) {
    this.#handler = handler
    this.#place = place
    this.#moment = moment
  }

  has(name: HookName): boolean {
    return this.#handler.has(name)
  }

  /** The error of a hook that threw, already reported. */
  async call(name: HookName, argument?: unknown): Promise<unknown> {
    if (!this.#handler.has(name)) return undefined
    const { context, moment } = this.#moment()
    try {
      await this.#handler.hook(name, moment, argument)
      await context.pendingSends
      return undefined
    } catch (cause) {
      const { consumer, topic, partition } = this.#place
      const at = { hook: name, consumer, topic, partition, reason: reasonOf(cause) }
      const error = failure('MR_APP_HOOK_FAILED', at, { cause })
      events.error.publish({ type: `hook.${name}`, error })
      return error
    }
  }
}
