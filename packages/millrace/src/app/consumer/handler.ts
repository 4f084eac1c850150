import { AsyncLocalStorage } from 'node:async_hooks'

import { MessageBatch } from '../message/message.ts'
import { byEvent } from './by-event.ts'
import { moment, moments, type Consumer, type Moment } from './consumer-class.ts'
import type { ConsumerDefinition } from './define-consumer.ts'
import type { HookName, Hooks } from './hooks.ts'
import type { Handler } from './plan.ts'

/** One handler for one partition, whichever form was declared. */
export function makeHandler(
  definition: ConsumerDefinition,
  { isConcurrent }: { readonly isConcurrent: boolean },
): Handler {
  if (definition.use !== undefined)
    return new ClassHandler(new definition.use(), definition.hooks, isConcurrent)
  return new FunctionHandler(definition)
}

type AnyHook = (...parameters: readonly unknown[]) => unknown

class FunctionHandler implements Handler {
  readonly #each: ConsumerDefinition['each']
  readonly #batch: ConsumerDefinition['batch']
  readonly #hooks: Hooks

  constructor(definition: ConsumerDefinition) {
    const { each, on, batch, topics } = definition
    this.#each = on === undefined ? each : byEvent(topics, on)
    this.#batch = batch
    this.#hooks = definition.hooks
  }

  consume({ context, messages }: Moment): unknown {
    const first = messages[0]
    if (this.#each !== undefined && first !== undefined) return this.#each(first, context)
    return this.#batch?.(new MessageBatch(messages), context)
  }

  has(hook: HookName): boolean {
    return this.#hooks[hook] !== undefined
  }

  hook(hook: HookName, { context }: Moment, argument?: unknown): unknown {
    const call = this.#hooks[hook] as AnyHook | undefined
    return argument === undefined ? call?.(context) : call?.(argument, context)
  }
}

class ClassHandler implements Handler {
  readonly #instance: Consumer
  readonly #hooks: Hooks

  /** @param isConcurrent - several lanes share the instance, and each has its own message */
  constructor(instance: object, hooks: Hooks, isConcurrent: boolean) {
    this.#instance = instance as Consumer
    this.#hooks = hooks
    if (isConcurrent) this.#instance[moments] = new AsyncLocalStorage()
  }

  consume(now: Moment): unknown {
    const lanes = this.#instance[moments]
    if (lanes !== undefined) return lanes.run(now, () => this.#instance.consume())
    this.#instance[moment] = now
    return this.#instance.consume()
  }

  has(hook: HookName): boolean {
    return this.#instance[hook] !== undefined || this.#hooks[hook] !== undefined
  }

  hook(hook: HookName, now: Moment, argument?: unknown): Promise<unknown> {
    const lanes = this.#instance[moments]
    if (lanes !== undefined) return lanes.run(now, () => this.#hook(hook, now, argument))
    this.#instance[moment] = now
    return this.#hook(hook, now, argument)
  }

  async #hook(hook: HookName, now: Moment, argument: unknown): Promise<unknown> {
    const own = this.#instance[hook] as AnyHook | undefined
    await own?.call(this.#instance, argument, now.context)
    const declared = this.#hooks[hook] as AnyHook | undefined
    return argument === undefined ? declared?.(now.context) : declared?.(argument, now.context)
  }
}
