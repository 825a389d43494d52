// The console starts here: theme, server state, routes.

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { newQueryClient } from "./api/state";
import { ErrorBoundary } from "./parts/ErrorBoundary";
import { startTheme } from "./parts/Theme";
import { Toasts } from "./parts/Toast";
import { newRouter } from "./routes";
import "./styles.css";

startTheme();

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element `root`");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={newQueryClient()}>
      <ErrorBoundary>
        <RouterProvider router={newRouter()} />
      </ErrorBoundary>
      <Toasts />
    </QueryClientProvider>
  </StrictMode>,
);
