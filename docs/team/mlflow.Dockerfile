FROM python:3.11-slim
RUN pip install --no-cache-dir mlflow==3.17.2 "psycopg[binary]" boto3
