import type { Responses } from '../context/context.ts'
import type { Send } from '../produce/sendable.ts'
import type { AnyTopic } from '../topic/define-topic.ts'

export interface AnyResponder {
  readonly name: string
  readonly topics: Readonly<Record<string, AnyTopic>>
  call(
    data: unknown,
    options?: { readonly send?: Send; readonly consumer?: string },
  ): Promise<Responses>
}
