import type { Border, BorderCall, BorderVerdict } from '../broker/index.ts'
import { failure } from '../errors/index.ts'
import {
  deferred,
  nearest,
  parseDuration,
  sleep,
  type Clock,
  type Deferred,
  type Duration,
} from '../kit/index.ts'
import { apis, kafkaErrors, type KafkaErrorName, type RequestOf } from '../protocol/index.ts'
import { corrupted, readingApis, refusals, stamped } from './refusals.ts'
import type { ApiName } from './scripted-broker.ts'

/** What shall happen to requests, and to which. */
export interface FaultRule<N extends ApiName = ApiName> {
  /** Kafka's name of an error, which is answered at the level where the API has it. */
  readonly error?: KafkaErrorName
  /** The answer, or whatever else happens, comes so much later. */
  readonly delay?: Duration
  /** The request waits, with all behind it on its connection, until the fault ends; then it goes on. */
  readonly hold?: boolean
  /** Closes the connection unanswered: before the request has had its effect, or after; or so many bytes into the answer. */
  readonly close?: 'before' | 'after' | { readonly afterBytes: number }
  /** The request has its effect, and its answer never comes; the connection goes on. */
  readonly drop?: boolean
  /** Distance: answers come so much later, and requests meanwhile are taken and answered in their order. */
  readonly rtt?: Duration
  /** The answer says that the client shall wait so long before it asks again (`throttle_time_ms`, KIP-219). */
  readonly throttle?: Duration
  /** Flips a bit in the first batch that a Fetch answer brings: its checksum is wrong then. */
  readonly corrupt?: boolean
  /** With `error`: whether the request has its effect nevertheless. Default `'before'`: it has none. */
  readonly when?: 'before' | 'after'
  /** Lets so many requests pass that it would have met: `skip: 2` meets the third. */
  readonly skip?: number
  /** How many requests it meets, then it ends. Default all. */
  readonly times?: number
  /** For how long, then it ends. Default until `end`. */
  readonly for?: Duration
  /** Only requests for which this is true. */
  readonly match?: (request: RequestOf<(typeof apis)[N]>, call: FaultCall) => boolean
}

export interface FaultCall {
  readonly api: ApiName
  readonly version: number
  readonly clientId: string
  /** Numbers the connections since the broker's start, from 1. */
  readonly connection: number
}

/** A rule at work. Leaving its scope ends it. */
export interface Fault extends Disposable {
  /** Requests that it has met so far. */
  readonly hits: number
  /** Resolves once it has met `count` requests (default 1), past or future. */
  hit(count?: number): Promise<void>
  end(): void
}

/** A broker that answers nothing until it is resumed. Leaving its scope resumes it. */
export interface PausedBroker extends AsyncDisposable {
  resume(): void
}

interface Rule {
  readonly api: ApiName | '*'
  readonly rule: FaultRule
  readonly untilMs: number
  hits: number
  passed: number
  readonly waiting: { readonly count: number; readonly resolve: () => void }[]
  readonly released: Deferred<void>
}

const nameByKey = new Map<number, ApiName>(
  Object.entries(apis).map(([name, api]) => [api.key, name as ApiName]),
)

/** Faults that a test puts between a broker and its clients. Of several that match, the oldest counts. */
export class BrokerFaults {
  readonly #clock: Clock
  #rules: Rule[] = []
  #paused: Promise<void> | undefined
  #resumed: (() => void) | undefined
  readonly #closing = new AbortController()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly border: Border = (call) => {
    if (this.#rules.length === 0 && this.#paused === undefined) return undefined
    const verdict = this.#verdict(call)
    return this.#paused === undefined ? verdict : { ...verdict, wait: this.#held(verdict?.wait) }
  }

  /** @throws MR_TEST_FAULT_UNKNOWN for an API or error that there is not, and for an error that an API has no place for */
  fail<N extends ApiName>(api: N | '*', rule: FaultRule<N>): Fault {
    checkRule(api, rule)
    const { for: duration } = rule
    const forMs = duration === undefined ? Infinity : (parseDuration(duration) ?? 0)
    const own: Rule = {
      api,
      rule,
      untilMs: this.#clock.monotonicMs() + forMs,
      hits: 0,
      passed: 0,
      waiting: [],
      released: deferred(),
    }
    this.#closing.signal.addEventListener('abort', () => own.released.resolve(), { once: true })
    this.#rules.push(own)
    const end = (): void => {
      this.#rules = this.#rules.filter((other) => other !== own)
      own.released.resolve()
    }
    if (forMs < Infinity && rule.hold === true) this.#clock.after(forMs, end, { unref: true })
    return {
      get hits() {
        return own.hits
      },
      hit(count = 1) {
        if (own.hits >= count) return Promise.resolve()
        const { promise, resolve } = deferred()
        own.waiting.push({ count, resolve })
        return promise
      },
      end,
      [Symbol.dispose]: end,
    }
  }

  pause(options: { readonly for?: Duration } = {}): PausedBroker {
    const { promise, resolve } = deferred()
    this.#endPause()
    this.#paused = promise
    this.#resumed = resolve
    const resume = (): void => {
      if (this.#paused === promise) this.#paused = undefined
      resolve()
    }
    if (options.for !== undefined) this.#clock.after(parseDuration(options.for) ?? 0, resume)
    return {
      resume,
      [Symbol.asyncDispose]() {
        resume()
        return Promise.resolve()
      },
    }
  }

  /** The broker stops: nothing waits any more. */
  close(): void {
    this.#endPause()
    this.#closing.abort(new Error('the broker stops'))
  }

  #endPause(): void {
    this.#paused = undefined
    this.#resumed?.()
  }

  async #late(delay: Duration): Promise<void> {
    const { signal } = this.#closing
    try {
      await sleep(this.#clock, parseDuration(delay) ?? 0, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #held(wait: Promise<void> | undefined): Promise<void> {
    await this.#paused
    await wait
  }

  #verdict(call: BorderCall): BorderVerdict | undefined {
    const api = nameByKey.get(call.api.key)
    if (api === undefined) return undefined
    const { version, clientId, connection, request } = call
    const nowMs = this.#clock.monotonicMs()
    this.#rules = this.#rules.filter(({ untilMs }) => nowMs < untilMs)
    const found = this.#rules.find(
      (own) =>
        (own.api === '*' || own.api === api) &&
        (own.rule.match?.(request as never, { api, version, clientId, connection }) ?? true),
    )
    if (found === undefined) return undefined
    if (found.passed < (found.rule.skip ?? 0)) {
      found.passed++
      return undefined
    }
    found.hits++
    if (found.hits >= (found.rule.times ?? Infinity))
      this.#rules = this.#rules.filter((other) => other !== found)
    for (const { count, resolve } of found.waiting) if (found.hits >= count) resolve()
    return this.#verdictOf(api, found, request)
  }

  #verdictOf(api: ApiName, { rule, released }: Rule, request: object): BorderVerdict {
    const { delay, hold = false, close, drop = false, rtt } = rule
    const waits = [
      ...(delay === undefined ? [] : [this.#late(delay)]),
      ...(hold ? [released.promise] : []),
    ]
    return {
      ...(waits.length === 0 ? {} : { wait: Promise.all(waits).then(() => undefined) }),
      ...(rtt === undefined ? {} : { lateBy: this.#late(rtt) }),
      ...(drop ? { drop } : {}),
      ...(typeof close === 'object' ? { cutAfter: close.afterBytes } : {}),
      ...(typeof close === 'string' ? { close } : answerOf(api, rule, request)),
    }
  }
}

/** What stands in the answer in place of what the handler says. */
function answerOf(api: ApiName, rule: FaultRule, request: object): BorderVerdict {
  const { error, throttle, corrupt = false, when = 'before' } = rule
  if (error !== undefined) {
    const { code } = kafkaErrors[error]
    const refuse = refusals[api] as ((request: object, code: number) => object) | undefined
    if (when === 'before' && refuse !== undefined) return { instead: () => refuse(request, code) }
    return { change: (answer) => stamped(api, answer, code) }
  }
  if (throttle !== undefined) {
    const throttleTimeMs = parseDuration(throttle) ?? 0
    return { change: (answer) => ({ ...answer, throttleTimeMs }) }
  }
  return corrupt ? { change: corrupted } : {}
}

function checkRule(api: ApiName | '*', { error, when, corrupt }: FaultRule<never>): void {
  const unknown = (what: string, name: string, near: string | undefined): Error =>
    failure('MR_TEST_FAULT_UNKNOWN', { what, name, near })
  if (api !== '*' && !(api in apis)) throw unknown('API', api, nearest(api, Object.keys(apis)))
  if (corrupt === true && api !== 'fetch') throw unknown('answer with batches', api, 'fetch')
  if (error === undefined) return
  if (!(error in kafkaErrors))
    throw unknown('error', error, nearest(error, Object.keys(kafkaErrors)))
  const hasPlace = api !== '*' && (when === 'after' || readingApis.has(api) || api in refusals)
  if (!hasPlace) throw unknown('answer with an error', api, undefined)
}
