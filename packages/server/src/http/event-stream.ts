const encoder = new TextEncoder();

/**
 * Answers with server-sent events. An event is computed when the client has read those before; one who goes away ends the generator.
 *
 * @param events the texts of events, `data: …` and an empty line
 * @param failed gives the last event where the generator throws after its first event; before, the error is thrown
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function eventStream(
  events: AsyncGenerator<string, void>,
  failed: (error: unknown) => string,
): Promise<Response> {
  // Errors before the first event have a status of their own.
  let next: IteratorResult<string, void> | undefined = await events.next();
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let event: IteratorResult<string, void>;
        let ended = false;
        try {
          event = next ?? (await events.next());
        } catch (error) {
          event = { value: failed(error) };
          ended = true;
        }
        next = undefined;
        if (cancelled) return;
        if (!event.done) controller.enqueue(encoder.encode(event.value));
        if (event.done || ended) controller.close();
      },
      async cancel() {
        cancelled = true;
        await events.return();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // Proxies such as nginx hold events back unless told not to.
      'x-accel-buffering': 'no',
    },
  });
}

/** An event that carries a value as JSON. */
export const dataEvent = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
