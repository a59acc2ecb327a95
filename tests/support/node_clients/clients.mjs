// Queries, fails and subscribes with each client as documented; prints what each received as JSON.
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { ClientError, GraphQLClient } from "graphql-request";
import { createClient } from "graphql-ws";

const [url, token, account, query, subscription] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const known = { account };
const unknown = { account: "acct_0000000000000000" };
const socket = createClient({ url: url.replace("http", "ws"), connectionParams: headers });

const codes = (errors) => errors.map((each) => each.extensions.code);

async function apollo() {
  const make = (link) => new ApolloClient({ link, cache: new InMemoryCache() });
  const client = make(new HttpLink({ uri: url, headers }));
  const wrong = make(new HttpLink({ uri: url, headers: { Authorization: "Bearer wrong" } }));
  const live = make(new GraphQLWsLink(socket));
  const fails = (of, variables) =>
    of.query({ query: gql(query), variables }).catch((error) => {
      if (CombinedGraphQLErrors.is(error)) return codes(error.errors);
      throw error;
    });
  return {
    data: (await client.query({ query: gql(query), variables: known })).data,
    error: await fails(client, unknown),
    unauthenticated: await fails(wrong, known),
    event: await new Promise((resolve, reject) => {
      const options = { query: gql(subscription), variables: known };
      const running = live.subscribe(options).subscribe({
        next: ({ data, error }) => {
          setTimeout(() => running.unsubscribe());
          error ? reject(error) : resolve(data);
        },
        error: reject,
      });
    }),
  };
}

async function urql() {
  const make = (given) =>
    new Client({
      url,
      preferGetMethod: false,
      fetchOptions: { headers: given },
      exchanges: [
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: (request) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink),
            }),
          }),
        }),
      ],
    });
  const client = make(headers);
  const wrong = make({ Authorization: "Bearer wrong" });
  const fails = async (of, variables) =>
    codes((await of.query(query, variables).toPromise()).error.graphQLErrors);
  return {
    data: (await client.query(query, known).toPromise()).data,
    error: await fails(client, unknown),
    unauthenticated: await fails(wrong, known),
    event: await new Promise((resolve, reject) => {
      const running = client.subscription(subscription, known).subscribe(({ data, error }) => {
        setTimeout(() => running.unsubscribe());
        error ? reject(error) : resolve(data);
      });
    }),
  };
}

async function graphqlRequest() {
  const client = new GraphQLClient(url, { headers });
  const wrong = new GraphQLClient(url, { headers: { Authorization: "Bearer wrong" } });
  const fails = (of, variables) =>
    of.request(query, variables).catch((error) => {
      if (error instanceof ClientError) return codes(error.response.errors);
      throw error;
    });
  return {
    data: await client.request(query, known),
    error: await fails(client, unknown),
    unauthenticated: await fails(wrong, known),
  };
}

const received = { apollo: await apollo(), urql: await urql(), graphqlRequest: await graphqlRequest() };
await socket.dispose();
console.log(JSON.stringify(received));
