// Subscribes with graphql-ws as documented, and prints each event as a line of JSON.
import { createClient } from "graphql-ws";

const [url, token, query, account] = process.argv.slice(2);
const client = createClient({
  url,
  connectionParams: { Authorization: `Bearer ${token}` },
  retryAttempts: 100,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
  shouldRetry: () => true,
});
for await (const event of client.iterate({ query, variables: { account } })) {
  console.log(JSON.stringify(event));
}
